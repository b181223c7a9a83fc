"""What a run was set to do, how far it came, and how to do it again."""

from __future__ import annotations

__all__ = [
    "Origin",
    "Status",
    "Term",
    "final_terms",
    "origin",
    "players",
    "python_lines",
    "settings",
    "status_of",
]

from dataclasses import dataclass
from typing import Any, final

from unweave.report.files import RunFiles
from unweave.report.words import count, duration, number, plain, sentence_list
from unweave.rundir import BESIDE, LOCK, is_held

_PYTHON = ("latents", "batch_size", "architecture", "likelihood", "optimizer", "clip_norm",
           "clip_value", "ema", "holdout", "seed", "init_from", "threads", "device",
           "precision")  # fmt: skip
_NOT_SETTINGS = {"type", *BESIDE}


@final
@dataclass(frozen=True, kw_only=True)
class Term:
    """One summand of the loss at the last step that was logged.

    Attributes:
        name: Its name.
        raw: Value before its weight.
        unit: Unit of the raw value; empty when it is not known.
        weighted: What is minimised.
    """

    name: str
    raw: str
    unit: str
    weighted: str


@final
@dataclass(frozen=True, kw_only=True)
class Status:
    """How far a training came.

    Attributes:
        state: `finished`, `running`, `stopped`, `diverged`, `interrupted` of one that was killed,
            or empty.
        headline: How it stands when it is not finished, else empty.
        message: What was said when it ended.
        facts: One line: steps, time, speed.
    """

    state: str
    headline: str
    message: str
    facts: str


def status_of(run: RunFiles) -> Status:
    """The state of a training in words."""
    status = run.status
    state = plain(status.get("state") or "")
    if state == "running" and not is_held(run.folder / LOCK):
        state = "interrupted"
    step = status.get("step")
    steps = status.get("steps", run.config.get("steps"))
    far = f" at step {count(step)} of {count(steps)}" if step is not None else ""
    headline = {
        "": "",
        "finished": "",
        "running": f"Still training when this page was written{far}.",
        "interrupted": f"Interrupted before its end{far}.",
        "stopped": f"Stopped before its end{far}.",
        "diverged": f"Diverged{far}.",
    }.get(state, f"{state}{far}.")
    facts = [f"{count(step if step is not None else steps)} steps"] if steps is not None else []
    if run.imported:
        # Nobody says how long it took elsewhere, and perhaps not even how many steps.
        facts = facts if run.imported.get("steps") is not None else []
        return Status(state=state, headline=headline, message="", facts=" · ".join(facts))
    if taken := duration(status.get("seconds")):
        facts.append(taken)
    if isinstance(speed := status.get("images_per_second"), int | float):
        facts.append(f"{speed:,.0f} images a second")
    return Status(
        state=state,
        headline=headline,
        message=plain(status.get("message") or ""),
        facts=" · ".join(facts),
    )


@final
@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an imported model comes from.

    Attributes:
        sentence: Project, file, and its published name if it has one.
        sha256: Of the file.
        assumed: What no file says, in a sentence or two; empty when there is nothing.
    """

    sentence: str
    sha256: str
    assumed: str


def origin(run: RunFiles) -> Origin | None:
    """Where an imported model comes from; None for one that was trained here."""
    said = run.imported
    if not said:
        return None
    published = said.get("published")
    known = f", which that project has published as {plain(published)}" if published else ""
    day = plain(said.get("imported") or "")[:10]
    return Origin(
        sentence=f"Trained by {plain(said.get('source') or 'another project')}, and imported from "
        f"the file {plain(said.get('file') or '')}{known}{f', on {day}' if day else ''}.",
        sha256=plain(said.get("sha256") or ""),
        assumed=_assumed(said),
    )


def _assumed(said: dict[str, Any]) -> str:
    names = said.get("assumed")
    unknown = said.get("steps") is None
    taken = [plain(n) for n in names if n != "steps" or not unknown] if (
        isinstance(names, list)
    ) else []  # fmt: skip
    usual = "what was published of this model" if said.get("published") else "the usual"
    sentences = ["Nothing says how long it was trained."] if unknown else []
    if taken:
        listed = sentence_list(taken)
        sentences.append(f"No file says what was set as {listed}; {usual} is shown.")
    return " ".join(sentences)


def final_terms(run: RunFiles) -> list[Term]:
    """Every term of the loss at the last logged step."""
    if not run.train:
        return []
    raw, weighted = (_table(run.train[-1], key) for key in ("raw", "weighted"))
    units = _table(run.config, "units")
    return [
        Term(
            name=str(name),
            raw=number(raw[name]) if name in raw else "",
            unit=str(units.get(name, "")),
            weighted=number(weighted[name]) if name in weighted else "",
        )
        for name in dict.fromkeys([*raw, *weighted])
    ]


def players(run: RunFiles) -> list[tuple[str, str]]:
    """Name and loss of each player at the last logged step."""
    return [(str(k), number(v)) for k, v in _table(run.train[-1], "loss").items()] if (
        run.train
    ) else []  # fmt: skip


def settings(run: RunFiles) -> list[tuple[str, str]]:
    """Name and value of each setting: components as their text, then the rest."""
    texts = _table(run.config, "text")
    rows = [(str(name), plain(text)) for name, text in texts.items()]
    rows += [
        (name, plain(value))
        for name, value in run.config.items()
        if name not in texts and name not in _NOT_SETTINGS and not isinstance(value, dict)
    ]
    return rows


def python_lines(run: RunFiles) -> list[str]:
    """Python that trains the run again and scores it; empty when the settings do not say."""
    texts = _table(run.config, "text")
    if not {"dataset", "objective"} <= texts.keys() or "steps" not in run.config:
        return []
    options = {"steps": run.config["steps"]}
    options |= {
        name: texts.get(name, run.config.get(name))
        for name in _PYTHON
        if name in texts or run.config.get(name) is not None
    }
    return [
        "import unweave",
        "",
        f"data = unweave.load_dataset({texts['dataset']!r})",
        "run = unweave.train(",
        "    data,",
        f"    {texts['objective']!r},",
        *(f"    {name}={value!r}," for name, value in options.items()),
        ")",
        "print(run.evaluate())",
    ]


def _table(values: dict[str, Any], key: str) -> dict[str, Any]:
    table = values.get(key)
    return table if isinstance(table, dict) else {}
