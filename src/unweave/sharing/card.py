"""The model card of a shared run: what it is, in words and tables, for people."""

from __future__ import annotations

__all__ = ["card_of"]

import shlex
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from unweave.citing import cite
from unweave.data.listing import about, describe
from unweave.errors import UnweaveError
from unweave.objectives import Composer
from unweave.report.files import RunFiles, read_run
from unweave.report.scores import following
from unweave.report.training import final_terms, python_lines, status_of
from unweave.report.words import count, flatten, number, plain
from unweave.rundir import BESIDE
from unweave.sharing.contents import SharedFile
from unweave.sharing.header import header
from unweave.sharing.limits import image_size, known_images, limits
from unweave.training import TrainConfig

# The picture of a card: the first of these that the run has.
_PICTURES: Final = {
    "traversals": "Traversals: one row for each latent, the image while it takes one value after "
    "the other and the rest stay.",
    "reconstructions": "Images, and under each what the model makes of it.",
    "conditions": "Images while a label, or a factor, takes one value after the other.",
    "samples": "What the model makes of latents drawn from the prior.",
}
_MOST_PARTS: Final = 8


def card_of(
    folder: Path,
    config: TrainConfig,
    step: int,
    files: Sequence[SharedFile],
    pull: str | None,
    license: str | None,
) -> str:
    """The model card, in Markdown with the hub's header; the same run gives the same card.

    Args:
        folder: The run folder.
        config: What was trained.
        step: Optimiser steps of the weights.
        files: What is shared.
        pull: What others type to pull it; None where that is not known.
        license: Of the weights; None where nobody says.

    Raises:
        RunError: A file of the run is damaged.
    """
    run = read_run(folder)
    names = {file.name for file in files}
    parts = [
        header(run.name, config, run.scores, step, license),
        f"# {_plain(run.name)}",
        _lead(config, step),
        _picture(names),
        *_use(config, pull),
        *_data(config),
        *_method(run, config),
        *_training(run),
        *_scores(run, config),
        *_again(run, config),
        *_cite(folder),
        "## Limits",
        "\n".join(
            f"- {sentence}"
            for sentence in limits(run, config, step, known_images(config.dataset), license)
        ),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def _lead(config: TrainConfig, step: int) -> str:
    size = image_size(config.dataset)
    images = "images" if size is None else f"images of {'x'.join(map(str, size))}"
    does = (
        f"It turns {images} into {config.latents} latents, and latents into images"
        if config.objective.expand().encodes
        else f"It draws {images} from {config.latents} numbers that stand for factors"
    )
    return (
        f"{_code(str(config.objective))} trained on {_code(str(config.dataset))} for {step:,} "
        f"steps. {does}. Trained and measured with unweave, which reads it."
    )


def _picture(names: Collection[str]) -> str:
    for kind, words in _PICTURES.items():
        if f"figures/{kind}.png" in names:
            return f"![{kind.capitalize()}](figures/{kind}.png)\n\n{words}"
    return ""


def _use(config: TrainConfig, pull: str | None) -> list[str]:
    command = pull or "unweave pull PLACE"
    source = shlex.split(command)[2]
    extra = "'unweave[hub]'" if source.startswith("hf://") else "unweave"
    where = "" if pull else ", where PLACE is the folder of this file"
    plan = config.objective.expand()
    shape = ", ".join(map(str, image_size(config.dataset) or ("H", "W", "C")))
    if not plan.encodes:
        lines = ["images = run.render(factors)  # values by name of the factor"]
    else:
        lines = [
            f"means, logvars = run.encode(images)  # images (n, {shape}), uint8 or from 0 to 1",
            f"images = run.decode(means)  # (n, {shape}), from 0 to 1",
        ]
        if isinstance(plan.method, Composer):
            lines.append("images = run.compose(references, transforms, 'FACTOR')")
    python = [
        "import unweave",
        "",
        f"run = unweave.pull({source!r})",
        *lines,
        "print(run.evaluate())" if plan.encodes else "print(run.evaluate(('test_losses',)))",
    ]
    more = "Every command takes the run that was pulled: `evaluate`, `plot`, `report`, `export`."
    return [
        "## Use it",
        f"`pip install {extra}`, then{where}:",
        _block([command], "sh"),
        _block(python, "python"),
        more,
    ]


def _data(config: TrainConfig) -> list[str]:
    spec = config.dataset
    rows: list[tuple[str, str]] = [
        ("dataset", _code(str(spec))),
        ("images are", about(type(spec))),
    ]
    try:
        facts = describe(spec)
    except UnweaveError:
        # Files that say it are not on this machine.
        rows += [("source", spec.source)]
        return ["## Data", _table(("", ""), rows)]
    if facts["origin"]:
        rows.append(("from", facts["origin"]))
    rows += [
        ("source", _SOURCES.get(spec.source, spec.source)),
        ("number of images", count(facts["images"])),
        ("trained on", _trained_on(config, facts["images"])),
        ("size of an image", "x".join(map(str, facts["shape"]))),
        ("how to get it", _code(facts["get"]["command"])),
    ]
    parts = ["## Data", _table(("", ""), rows)]
    if facts["factors"]:
        factors = [
            (each["name"], each["kind"], count(each["size"]), ", ".join(each["labels"] or ()))
            for each in facts["factors"]
        ]
        whole = "Every combination of these factors is there once." if facts["grid"] else ""
        parts += [_table(("factor", "kind", "values", "which"), factors), whole]
    return parts


_SOURCES: Final = {
    "rendered": "rendered: drawn by unweave, not read from a published file",
    "archive": "archive: the published files",
    "own": "own: files of whoever trained it",
}


def _trained_on(config: TrainConfig, images: int) -> str:
    train = config.num_train
    return "all of them" if train == images else f"{count(train)}, the others held out"


def _method(run: RunFiles, config: TrainConfig) -> list[str]:
    items = [(_code(str(item)), about(type(item))) for item in config.objective.items]
    items += [
        (_code(str(part)), about(type(part)))
        for part in (config.architecture, config.likelihood, config.optimizer)
    ]
    rows = [(name, _code(value or "none")) for name, value in flatten(_settings(run.config))]
    terms = [(t.name, t.raw, t.unit, t.weighted) for t in final_terms(run)]
    last = run.train[-1].get("step") if run.train else None
    parts = ["## Method", _table(("part", "what it is"), items)]
    if terms:
        parts += [
            f"Terms of the loss, means of the last interval that was logged, at step "
            f"{count(last)}:",
            _table(("term", "value", "unit", "weighted"), terms),
        ]
    return [*parts, "Every setting:", _table(("setting", "value"), rows)]


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration, with lists of settings as tables by number."""
    return {name: _numbered(value) for name, value in config.items() if name not in BESIDE}


def _numbered(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        value = {str(i): item for i, item in enumerate(value, 1)}
    if isinstance(value, dict):
        return {name: _numbered(item) for name, item in value.items()}
    return value


def _training(run: RunFiles) -> list[str]:
    status = status_of(run)
    rows = [("how far", " ".join(filter(None, (status.facts, status.headline))))]
    rows += [(k, v) for k, v in flatten(run.environment) if k != "format"]
    return ["## Training", _table(("", ""), [row for row in rows if row[1]])]


def _scores(run: RunFiles, config: TrainConfig) -> list[str]:
    if not run.scores:
        return ["## Scores", "None yet: `unweave evaluate` makes them."]
    groups: dict[str, list[dict[str, Any]]] = {}
    for score in run.scores:
        groups.setdefault(_provenance(score), []).append(score)
    parts = ["## Scores"]
    for said, scores in groups.items():
        rows = [
            (
                _score_name(score),
                _with_unit(score),
                _interval(score),
                _score_parts(score),
            )
            for score in scores
        ]
        parts += [said, _table(("metric", "value", "95 % interval", "parts"), rows)]
    own = [score for score in run.scores if score.get("data") == str(config.dataset)]
    found = following(own)
    if found is not None and found.sentence:
        parts.append(f"By the table behind {_code(found.metric)}: {found.sentence}")
    return parts


def _provenance(score: dict[str, Any]) -> str:
    """What scores stand for that are in one table."""
    precision = score.get("precision")
    facts = [
        f"protocol {_code(plain(score.get('protocol') or ''))}",
        f"data {_code(plain(score.get('data', '')))} ({plain(score.get('source') or 'unknown')})",
        f"part {plain(score.get('part') or 'all')}",
        f"{count(score.get('samples', ''))} images",
        f"{plain(score.get('codes') or '')} codes" + (f" in {precision}" if precision else ""),
        f"seed {plain(score.get('seed', ''))}",
        f"step {count(score.get('step', ''))}",
        f"unweave {plain(score.get('unweave') or '')}",
    ]
    return f"{'; '.join(facts)}:".replace("protocol", "Protocol", 1)


def _score_name(score: dict[str, Any]) -> str:
    metric, text = plain(score.get("metric", "score")), plain(score.get("text") or "")
    return _code(text if text.startswith(metric) else metric)


def _with_unit(score: dict[str, Any]) -> str:
    unit = plain(score.get("unit") or "")
    return f"{number(score.get('value'), 5 if unit else 4)} {unit}".rstrip()


def _interval(score: dict[str, Any]) -> str:
    found = score.get("interval")
    if not isinstance(found, dict):
        return ""
    low, high = (number(found.get(end), 4) for end in ("low", "high"))
    values = found.get("values")
    return f"{low} to {high}, over {len(values) if isinstance(values, list) else '?'} draws"


def _score_parts(score: dict[str, Any]) -> str:
    parts = score.get("parts")
    items = list(parts.items()) if isinstance(parts, dict) else []
    shown = [f"{name} {number(value, 3)}" for name, value in items[:_MOST_PARTS]]
    more = [f"and {len(items) - _MOST_PARTS} more"] if len(items) > _MOST_PARTS else []
    return ", ".join(shown + more)


def _again(run: RunFiles, config: TrainConfig) -> list[str]:
    if run.imported:
        return []
    python = python_lines(run)
    return [
        "## Train it again",
        _block([config.command], "sh"),
        *([_block(python, "python")] if python else []),
        "On the same kind of processor, with as many threads and the same versions, this gives "
        "the same weights.",
    ]


def _cite(folder: Path) -> list[str]:
    lines = [f"- {each.entry.text()} For: {'; '.join(each.reasons)}." for each in cite(folder)]
    return ["## What to cite", "\n".join(lines), "`unweave cite RUN` prints it as BibTeX."]


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    heads = tuple(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    """A text as code, which may have marks of code in it."""
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def _plain(text: str) -> str:
    """A name as it is, without what Markdown would read."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|" else letter for letter in text)


def _block(lines: Sequence[str], language: str) -> str:
    fence = "````" if any("```" in line for line in lines) else "```"
    return "\n".join([f"{fence}{language}", *lines, fence])
