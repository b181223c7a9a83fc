"""Write the page of a run."""

from __future__ import annotations

__all__ = ["MAILABLE", "environment", "page_room", "rendered_note", "write_report"]

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unweave.curves import SCRIPTS, STYLE, asset
from unweave.data import DatasetSpec, parse_dataset
from unweave.data.listing import published
from unweave.errors import UnweaveError
from unweave.report.curves import curves_of
from unweave.report.explorer import SOURCES, explorer_section
from unweave.report.files import RunFiles, read_run
from unweave.report.maps import AS_FIGURES, maps
from unweave.report.pictures import pictures, training_pictures
from unweave.report.place import RUN
from unweave.report.policy import script_policy
from unweave.report.scores import following, score_views
from unweave.report.training import final_terms, origin, players, python_lines, settings, status_of
from unweave.report.words import count, flatten, number, plain, sentence_list
from unweave.rundir import atomic_write
from unweave.scores import CLEAR_GAP

MAILABLE = 10_000_000
"""Bytes of a page that can be mailed."""

# Bytes around an explorer: the digests of its scripts, and what is said to be left out.
_AROUND = 5_000
_MOST_CARDS = 4
_OPEN = ("mig", "dci", "dci_lasso", "sap")
# Figures that are shown where the page cannot draw curves.
_AS_CURVES = ("loss_curves", "kl", "score_curves")


def write_report(
    run_folder: Path,
    out: Path | None = None,
    *,
    left_out: Mapping[str, str] | None = None,
    explorer: tuple[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write one HTML file that shows a run: scores, pictures, settings, how to do it again.

    It reads the files of the run folder and nothing else, and it holds its pictures, its style and
    its scripts: it works offline and can be sent alone, and shows pictures without JavaScript.
    The same run gives the same bytes. What a run does not have, such as scores, is left out.

    Args:
        run_folder: The folder of a run, finished or not.
        out: The file to write; by default `report.html` in the run folder.
        left_out: What could not be had, such as scores or a figure, and why; said on the page.
        explorer: How latents are moved by hand on the page: the way to decode, and what it needs,
            as `explorer_section` takes them; None for a page without it.

    Returns:
        The file that was written.

    Raises:
        RunError: It is not a run folder, or one of its files is damaged.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    run = read_run(Path(run_folder))
    path = run.folder / "report.html" if out is None else Path(out)
    page = _page(run, left_out or {}, explorer)
    with atomic_write(path) as handle:
        handle.write(page.encode("utf-8"))
    return path


def page_room(run_folder: Path) -> int:
    """Bytes that an explorer may take, so that the page can be mailed; its figures are there.

    Raises:
        RunError: It is not a run folder, or one of its files is damaged.
    """
    page = _page(read_run(Path(run_folder)), {}, None).encode("utf-8")
    return max(0, MAILABLE - len(page) - _AROUND)


def _page(
    run: RunFiles,
    left_out: Mapping[str, str],
    explorer: tuple[str, Mapping[str, Any]] | None,
) -> str:
    section = "" if explorer is None else Markup(explorer_section(*explorer))
    content = _content(run) | {"left_out": _left_out(left_out), "explorer": section}
    content["contents"] = _contents(content)
    templates = environment()
    body = templates.get_template("report_body.html.j2").render(content)
    policy = script_policy(body, *(("", "") if explorer is None else SOURCES[explorer[0]]))
    whole = {
        "name": run.name,
        "body": Markup(body),
        "policy": Markup(policy),
        "generator": RUN.generator,
    }
    return templates.get_template("report.html.j2").render(whole)


def environment() -> Environment:
    """How templates of this room are read: escaped, and refusing what is not given."""
    return Environment(
        loader=PackageLoader("unweave.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _content(run: RunFiles) -> dict[str, Any]:
    """Everything the template shows, in words; empty where the run does not say."""
    texts = run.config.get("text")
    texts = texts if isinstance(texts, dict) else {}
    scores = score_views(run.scores)
    shown = {picture.name: picture for picture in pictures(run.folder / "figures")}
    last = run.train[-1] if run.train else {}
    # A run can be scored on other datasets, too; pictures and sentences are of its own.
    own = [score for score in run.scores if score.get("data") == texts.get("dataset")]
    found, curves = maps(own), curves_of(run)
    for each in found:
        if each.name in AS_FIGURES:
            # The map on the page has the same numbers, and can be read without seeing it.
            shown.pop(each.name, None)
    drawn = [shown.pop(name) for name in _AS_CURVES if name in shown] if curves else []
    return {
        "name": run.name,
        "dataset": plain(texts.get("dataset", "")),
        "objective": plain(texts.get("objective", "")),
        "status": status_of(run),
        "imported": origin(run),
        "cards": scores[:_MOST_CARDS],
        "scores": scores,
        "score_facts": list(dict.fromkeys(fact for score in scores for fact in score.facts)),
        "rendered": rendered_note(
            [_spec(score.data) for score in scores if score.source == "rendered"]
        ),
        "following": following(own),
        "clear_gap": CLEAR_GAP,
        "maps": [each for each in found if each.name in _OPEN],
        "more_maps": [each for each in found if each.name not in _OPEN],
        "curves": curves,
        "curve_pictures": drawn,
        "curve_scripts": {name: Markup(asset(name)) for name in SCRIPTS} if curves else {},
        "curve_style": Markup(asset(STYLE)),
        "pictures": list(shown.values()),
        "training_pictures": training_pictures(run.folder / "figures"),
        "last_step": count(last.get("step", "")),
        "terms": final_terms(run),
        "players": players(run),
        "during": [
            (count(row.get("step", "")), [(k, number(v, 3)) for k, v in _mapping(row, "scores")])
            for row in run.during
        ],
        "settings": settings(run),
        "full_form": json.dumps(run.config, indent=2, ensure_ascii=False),
        "environment": flatten({k: v for k, v in run.environment.items() if k != "format"}),
        "command": plain(run.config.get("command") or ""),
        "python": "\n".join(python_lines(run)),
        "version": plain(run.config.get("unweave") or ""),
        "address": plain(run.config.get("address") or ""),
    }


def _contents(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Addresses and names of the parts that the page has."""
    parts = {
        ("explorer", "Explorer"): ("explorer",),
        ("latents", "Latents and factors"): ("following", "maps", "more_maps"),
        ("curves", "Curves"): ("curves",),
        ("pictures", "Pictures"): ("pictures", "training_pictures"),
        ("final", "Final values"): ("terms", "players"),
        ("scores", "Scores"): ("scores",),
        ("settings", "Settings"): ("settings",),
        ("reproduce", "How to reproduce"): ("command", "python"),
    }
    return [part for part, names in parts.items() if any(content[name] for name in names)]


def rendered_note(specs: Sequence[DatasetSpec | None]) -> str:
    """What is to be said of data that are tagged as rendered.

    Args:
        specs: These data; None where it is not known what they are.

    Returns:
        The end of a sentence; nothing without such data.
    """
    if not specs:
        return ""
    names = published([spec for spec in specs if spec is not None])
    also = f", not those of the published file of {sentence_list(names)}" if names else ""
    return f"are images drawn by unweave's own renderer{also}."


def _spec(text: str) -> DatasetSpec | None:
    """The dataset of a text; None where it is one of another version."""
    try:
        return parse_dataset(text)
    except UnweaveError:
        return None


def _left_out(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is left out for one reason, in words, and the reason."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name.replace("_", " "))
    return [(sentence_list(group), reason) for reason, group in names.items()]


def _mapping(row: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    value = row.get(key)
    return list(value.items()) if isinstance(value, dict) else []
