"""Which trackers there are to be, from texts; and a configuration as flat settings."""

from __future__ import annotations

__all__ = ["TRACK", "flat_settings", "read_trackers"]

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from unweave.errors import SpecError
from unweave.spec import parse_tuple
from unweave.tracking.base import TrackerSpec

TRACK: Final = "UNWEAVE_TRACK"
"""The environment variable that names trackers where nothing else does."""


def read_trackers(
    track: str | TrackerSpec | Sequence[str | TrackerSpec] | None,
) -> tuple[TrackerSpec, ...]:
    """Trackers, each of which is installed.

    Args:
        track: Texts, such as "tensorboard" or "wandb(project=mine), mlflow", or trackers; None for
            what the environment variable `UNWEAVE_TRACK` names, which is none where it is not set.

    Raises:
        SpecError: A text is wrong, a tracker is named twice, or one is not installed.
    """
    if track is None:
        track = os.environ.get(TRACK, "").strip() or ()
    given = (track,) if isinstance(track, str | TrackerSpec) else tuple(track)
    found: list[TrackerSpec] = []
    for each in given:
        if isinstance(each, TrackerSpec):
            found.append(each)
        elif isinstance(each, str):
            items = parse_tuple(each, TrackerSpec)
            found += [item for item in items if isinstance(item, TrackerSpec)]
        else:
            raise SpecError(f"A tracker is a text, such as 'tensorboard', not {each!r:.100}.")
    names = [tracker.name for tracker in found]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"The tracker {name} is named twice; once is enough.")
    for tracker in found:
        tracker.check()
    return tuple(found)


def flat_settings(form: Mapping[str, Any]) -> dict[str, int | float | bool | str]:
    """A full form as dotted names and values, such as `objective.beta_vae.beta`: 4.0.

    Args:
        form: As `spec.to_dict` makes it. A component's own name stands under the name of its
            field; components in a list have their name in the dotted one.
    """
    flat: dict[str, int | float | bool | str] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            if "type" in value and name:
                flat[name] = value["type"]
            for key, inner in value.items():
                if key == "items":
                    walk(name, inner)
                elif key != "type":
                    walk(f"{name}.{key}" if name else key, inner)
        elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
            kinds = [v.get("type") if isinstance(v, Mapping) else None for v in value]
            for place, inner in enumerate(value):
                kind = kinds[place] if kinds.count(kinds[place]) == 1 else place
                fields = (
                    inner if kind == place else {k: v for k, v in inner.items() if k != "type"}
                )
                walk(f"{name}.{kind}", fields)
        elif isinstance(value, bool | int | float | str):
            flat[name] = value
        else:
            flat[name] = "none" if value is None else str(value)

    walk("", form)
    return flat
