"""`unweave runs list|show|rm`."""

from __future__ import annotations

__all__ = ["RunsList", "RunsRemove", "RunsShow"]

from dataclasses import dataclass
from typing import Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag
from unweave.cli.words import duration, size_text, table


def _when(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else ""


def _steps(row: dict[str, Any]) -> str:
    return "" if row["steps"] is None else f"{row['step']:,}/{row['steps']:,}"


def _cut(text: str | None, length: int = 48) -> str:
    text = text or ""
    return text if len(text) <= length else f"{text[: length - 3]}..."


@final
@dataclass(kw_only=True)
class RunsList(Common):
    """List runs, those of studies among them: dataset, objective, how far, scores, size."""

    folder: Positional[Annotated[str | None, arg(metavar="[DIR]", help_behavior_hint="")]] = None
    """Folder that is searched at any depth (default: runs, or UNWEAVE_RUNS)."""

    def run(self) -> int:
        """Search and print."""
        from pathlib import Path

        from unweave.inventory import describe, find_runs, size_of
        from unweave.rundir import runs_root

        root = Path(self.folder) if self.folder is not None else runs_root()
        if self.folder is None and not root.exists():
            self.emit({"folder": str(root), "runs": [], "bytes": 0}, f"{root} has no runs.")
            return 0
        places = list(find_runs(root))
        found = [describe(place) for place in places]
        # Runs that studies share lie on the disk once.
        total = size_of(*places).bytes
        body = [
            [
                str(place.relative_to(root)) if place != root else str(place),
                _cut(row["dataset"]),
                _cut(row["objective"]),
                _steps(row),
                row["state"],
                str(row["scores"]),
                size_text(row["bytes"]),
                _when(row["changed"]),
            ]
            for place, row in zip(places, found, strict=True)
        ]
        heads = ["run", "dataset", "objective", "steps", "state", "scores", "size", "changed"]
        runs = "one run" if len(found) == 1 else f"{len(found):,} runs"
        text = f"{table(heads, body)}\n\n{root}: {runs}, {size_text(total)}"
        self.emit(
            {"folder": str(root), "runs": found, "bytes": total},
            text if found else f"{root} has no runs.",
        )
        return 0


@final
@dataclass(kw_only=True)
class RunsShow(Common):
    """Show a run: its settings, how far it is, scores, files, and how to go on with it."""

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    def run(self) -> int:
        """Read its folder and print."""
        from pathlib import Path

        from unweave.cli.run_folder import check_run_folder
        from unweave.errors import RunError
        from unweave.inventory import again_command, describe, resume_command, size_of, study_of
        from unweave.rundir import is_run, read_json
        from unweave.scores import load_scores

        folder = Path(self.run_folder)
        check_run_folder(folder)
        if not is_run(folder):
            what = (
                "is not a run folder: it has no config.json" if folder.exists() else "is not there"
            )
            raise RunError(f"{folder} {what}. 'unweave runs list' says which runs there are.")
        facts = describe(folder)
        if facts["state"] == "damaged":
            raise RunError(facts["message"])
        config = read_json(folder / "config.json")
        study = study_of(folder)
        files = {
            path.name: size_of(path).bytes
            for path in sorted(folder.iterdir())
            if not path.name.startswith(".")
        }
        scores = load_scores(folder)
        result = facts | {
            "scores": scores,
            "config": config,
            "files": files,
            "study": None if study is None else str(study),
            "resume": resume_command(folder, facts["state"]),
        }
        again = again_command(folder) if facts["state"] == "diverged" else None
        self.emit(result, _shown(result, again))
        return 0


def _shown(result: dict[str, Any], again: str | None) -> str:
    """All that is known of a run.

    Args:
        result: Facts, settings, scores and files.
        again: The command that trains it anew, where that is what is left to do.
    """
    import shlex

    from unweave.rundir import BESIDE

    config = result["config"]
    message = f": {result['message']}" if result["message"] else ""
    lines = [
        f"{result['run']}: {result['state']} at step {_steps(result)} after "
        f"{duration(result['seconds'])}{message}",
        config["command"],
        "",
    ]
    settings = {name: value for name, value in config.items() if name not in BESIDE}
    settings |= config["text"]
    lines.append(table(["setting", "value"], [[n, str(v)] for n, v in settings.items()]))
    if result["scores"]:
        body = [
            [
                r["metric"],
                _number(r["value"]),
                r["protocol"],
                r["part"],
                r["codes"],
                str(r["seed"]),
            ]
            for r in result["scores"]
        ]
        lines += ["", table(["score", "value", "protocol", "part", "codes", "seed"], body)]
    files = [[name, size_text(count)] for name, count in result["files"].items()]
    lines += ["", table(["file", "size"], files)]
    if result["study"] is not None:
        lines += ["", f"Part of the study {result['study']}"]
    if result["state"] == "finished" and "checkpoint" in result["files"]:
        run = shlex.quote(result["run"])
        score = "" if result["scores"] else f"Score it with: unweave evaluate {run}\n"
        lines += ["", f"{score}Look at it with: unweave report {run}"]
    if result["resume"] is not None:
        lines += ["", f"Go on with: {result['resume']}"]
    if again is not None:
        lines += [
            "",
            "It would diverge again. Train anew with other settings than these, such as a smaller "
            f"learning rate: {again}",
        ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


@final
@dataclass(kw_only=True)
class RunsRemove(Common):
    """Remove runs for good. Without --yes nothing is removed; those being trained are refused."""

    run_folders: Positional[
        Annotated[tuple[str, ...], arg(metavar="RUN ...", help_behavior_hint="")]
    ]
    """Folders of the runs."""

    yes: Flag = False
    """Remove them; else only say what would go."""

    def run(self) -> int:
        """Look at all of them, and remove them if none is refused."""
        from pathlib import Path

        from unweave.inventory import check_removable, describe, remove, study_of

        folders = [Path(text) for text in self.run_folders]
        for folder in folders:
            check_removable(folder)
        # One run may be named in two ways.
        folders = list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]
        rows = [describe(folder) for folder in folders]
        lines = []
        for folder, row in zip(folders, rows, strict=True):
            study = study_of(folder)
            row["study"] = None if study is None else str(study)
            part = "" if study is None else f"; part of {study}, which trains it again if resumed"
            lines.append(
                f"{folder}: {row['objective']} on {row['dataset']}, {row['state']} at step "
                f"{_steps(row)}, {row['scores']} scores, {size_text(row['bytes'])}{part}"
            )
        if self.yes:
            for folder in folders:
                remove(folder)
        lines.append("Removed." if self.yes else "Nothing was removed. Remove with --yes.")
        self.emit({"runs": rows, "removed": self.yes}, "\n".join(lines))
        return 0
