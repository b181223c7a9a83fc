"""Reading the command line, and turning errors for users into a paragraph and an exit code."""

from __future__ import annotations

__all__ = ["COMMANDS", "main"]

import os
import sys
from collections.abc import Sequence
from typing import Annotated, TextIO

import tyro
from tyro.conf import FlagCreatePairsOff, subcommand

from unweave._version import __version__
from unweave.cli.cite import Cite
from unweave.cli.common import Common, OutputError, writing
from unweave.cli.completion import Completion
from unweave.cli.data import DataList, DataPrepare, DataShow, DataVerify
from unweave.cli.demo import Demo
from unweave.cli.evaluate import Evaluate
from unweave.cli.export import Export
from unweave.cli.generalise import GeneraliseModifiers, GeneraliseSplits
from unweave.cli.generalise_report import GeneraliseReport
from unweave.cli.generalise_run import GeneraliseCompose, GeneraliseDecode, GeneraliseRun
from unweave.cli.imports import Import
from unweave.cli.lists import (
    Architectures,
    Metrics,
    Objectives,
    Optimizers,
    Presets,
    StudyList,
)
from unweave.cli.live import Watch
from unweave.cli.overview import find_command, overview, own_flags_first
from unweave.cli.population import PopulationExport, PopulationResume, PopulationStatus
from unweave.cli.population_recurse import PopulationRecurse
from unweave.cli.population_run import PopulationRun
from unweave.cli.rank import Rank
from unweave.cli.report import Report
from unweave.cli.reproduce import ReproduceList, ReproduceRun
from unweave.cli.reproduce_page import ReproducePage
from unweave.cli.results import ResultsTable
from unweave.cli.runs import RunsList, RunsRemove, RunsShow
from unweave.cli.score import Score
from unweave.cli.share import Pull, Push
from unweave.cli.show import Plot
from unweave.cli.study import StudyClean, StudyResume, StudyRun, StudyStatus
from unweave.cli.trackers import Trackers
from unweave.cli.train import Train
from unweave.errors import UnweaveError

# As of a process that SIGPIPE ends.
_CLOSED_PIPE = 141

_DATA = (
    Annotated[DataList, subcommand("list")]
    | Annotated[DataPrepare, subcommand("prepare")]
    | Annotated[DataShow, subcommand("show")]
    | Annotated[DataVerify, subcommand("verify")]
)

_ABOUT_STUDY = "Studies, which are sweeps of trainings: list, run, status, resume, clean."

_STUDY = (
    Annotated[StudyList, subcommand("list")]
    | Annotated[StudyRun, subcommand("run")]
    | Annotated[StudyStatus, subcommand("status")]
    | Annotated[StudyResume, subcommand("resume")]
    | Annotated[StudyClean, subcommand("clean")]
)

_ABOUT_POPULATION = (
    "Populations, whose members copy each other: run, recurse, status, resume, export."
)

_POPULATION = (
    Annotated[PopulationRun, subcommand("run")]
    | Annotated[PopulationRecurse, subcommand("recurse")]
    | Annotated[PopulationStatus, subcommand("status")]
    | Annotated[PopulationResume, subcommand("resume")]
    | Annotated[PopulationExport, subcommand("export")]
)

_ABOUT_GENERALISE = (
    "Generalisation to combinations that are held out: splits, modifiers, run, decode, compose, "
    "report."
)

_GENERALISE = (
    Annotated[GeneraliseSplits, subcommand("splits")]
    | Annotated[GeneraliseModifiers, subcommand("modifiers")]
    | Annotated[GeneraliseRun, subcommand("run")]
    | Annotated[GeneraliseDecode, subcommand("decode")]
    | Annotated[GeneraliseCompose, subcommand("compose")]
    | Annotated[GeneraliseReport, subcommand("report")]
)

_REPRODUCE = (
    Annotated[ReproduceList, subcommand("list")]
    | Annotated[ReproduceRun, subcommand("run")]
    | Annotated[ReproducePage, subcommand("page")]
)

_ABOUT_REPRODUCE = "Published numbers and ours, side by side: list, run, page."

_RUNS = (
    Annotated[RunsList, subcommand("list")]
    | Annotated[RunsShow, subcommand("show")]
    | Annotated[RunsRemove, subcommand("rm")]
)

COMMANDS = (
    Annotated[Demo, subcommand("demo")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Import, subcommand("import")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Push, subcommand("push")]
    | Annotated[Pull, subcommand("pull")]
    | Annotated[Watch, subcommand("watch")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Score, subcommand("score")]
    | Annotated[Rank, subcommand("rank")]
    | Annotated[ResultsTable, subcommand("results")]
    | Annotated[Plot, subcommand("plot")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Cite, subcommand("cite")]
    | Annotated[_DATA, subcommand("data", description="Datasets: list, prepare, show, verify.")]
    | Annotated[_STUDY, subcommand("study", description=_ABOUT_STUDY)]
    | Annotated[_POPULATION, subcommand("population", description=_ABOUT_POPULATION)]
    | Annotated[_GENERALISE, subcommand("generalise", description=_ABOUT_GENERALISE)]
    | Annotated[_REPRODUCE, subcommand("reproduce", description=_ABOUT_REPRODUCE)]
    | Annotated[_RUNS, subcommand("runs", description="Runs on disk: list, show, rm.")]
    | Annotated[Objectives, subcommand("objectives")]
    | Annotated[Architectures, subcommand("architectures")]
    | Annotated[Optimizers, subcommand("optimizers")]
    | Annotated[Trackers, subcommand("trackers")]
    | Annotated[Metrics, subcommand("metrics")]
    | Annotated[Presets, subcommand("presets")]
    | Annotated[Completion, subcommand("completion")]
)


own_flags_first(COMMANDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code.

    0: done. 1: the training diverged, or all is done but standard output cannot be written.
    2: what was asked for cannot be done; nothing was written. 130: interrupted. 141: who reads
    the output, such as `head`, has enough of it.
    """
    try:
        try:
            return _main(arguments)
        finally:
            # What is still held back, also by a command that exits, such as --help.
            if sys.stdout is not None:  # as after >&- in a shell
                with writing():
                    sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout, sys.stderr)
        return _CLOSED_PIPE
    except OutputError as error:
        _silence(sys.stdout)
        print(f"error: {error}", file=sys.stderr)
        return 1


def _silence(*streams: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python flushes it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())


def _main(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        with writing():
            print(f"unweave {__version__}")
        return 0
    if (told := overview(given, COMMANDS)) is not None:
        asked = bool(given) and given[-1].startswith("-")
        with writing():
            print(told, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        command = parse(given)
        return command.start()
    except UnweaveError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def parse(arguments: Sequence[str]) -> Common:
    """The command with its options; exits with 2 and a message when they are wrong.

    Raises:
        SpecError: There is no such command.
    """
    # Alone, so that messages are of its own flags.
    words, kind, rest = find_command(arguments, COMMANDS)
    with writing():  # of --help
        command: Common = tyro.cli(kind, prog=words, args=rest, config=(FlagCreatePairsOff,))
    return command
