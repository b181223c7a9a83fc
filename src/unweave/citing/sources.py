"""Which entries stand behind settings by name: published experiments, codes and projects."""

from __future__ import annotations

__all__ = ["CODES", "MODULES", "PROJECTS", "PROTOCOLS", "by_name"]

from collections.abc import Mapping
from typing import Final

CODES: Final[dict[str, tuple[str, ...]]] = {
    "clg": ("zhu2021commutative",),
    "dag": ("montero2021role",),
    "disvae": ("dubois2019disentangling",),
    "dlib": ("locatello2019challenging",),
    "dlib2019": ("locatello2019challenging",),
    "dpt": ("abdi2019variational",),
    "rpu": ("estermann2020robust",),
    "slow_disentanglement": ("klindt2021towards",),
}
"""Published code that a field `compat` repeats."""

PROJECTS: Final[dict[str, tuple[str, ...]]] = {
    name: CODES[name] for name in ("clg", "dag", "disvae", "dpt")
}
"""Projects whose checkpoints become runs."""

PROTOCOLS: Final[dict[str, tuple[str, ...]]] = {
    "unweave": (),
    "full": (),
    "fast": (),
    "dlib": ("locatello2019challenging",),
    "dlib2019": ("locatello2019challenging",),
    "validation": ("locatello2019challenging",),
    "disvae": ("dubois2019disentangling",),
    "clg": ("zhu2021commutative",),
    "dag": ("montero2021role",),
    "rpu": ("estermann2020robust",),
    "qlae2023": ("hsu2023disentanglement",),
    "tripod2024": ("hsu2024tripod",),
}
"""Protocols of metrics."""

PRESETS: Final[dict[str, tuple[str, ...]]] = {
    "demo": (),
    "clg": ("zhu2021commutative",),
    "dag": ("montero2021role",),
    "disvae": ("dubois2019disentangling",),
    "dlib": ("locatello2019challenging",),
    "dlib/fairness": ("locatello2019fairness",),
    "dlib/abstract_reasoning": ("vansteenkiste2019disentangled",),
    "dpt": ("abdi2019variational",),
    "generalise": ("montero2021role", "montero2022lost"),
    "lls": ("montero2022lost",),
    "rpu": ("estermann2020robust",),
}
"""Presets, studies, populations and recursions: by name, or by what stands before its slash."""

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "unweave.data.render.draws": ("steele2014fast",),
}
"""Modules that stand on a paper which no component names."""


def by_name(name: str) -> tuple[str, ...] | None:
    """The entries behind a preset or a published study; None where there is no such source.

    Args:
        name: `<source>/<experiment>`, or `<source>` alone.
    """
    return _longest(PRESETS, name)


def _longest(table: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...] | None:
    """What stands under the name, or under the longest part of it that a slash ends."""
    while name not in table:
        name, slash, _ = name.rpartition("/")
        if not slash:
            return None
    return table[name]
