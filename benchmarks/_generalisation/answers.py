"""The questions of the protocol, answered from the runs."""

from __future__ import annotations

__all__ = ["answers"]

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from unweave.generalise import Found, Group, groups_of, relations_of

_ORDER: Final = ("leave1out", "shape2tx", "blank_side")
_REGIMES: Final = ("id_id", "id_ood", "ood_ood")


def answers(found: Mapping[str, Sequence[Found]]) -> list[str]:
    """A line for each question that the runs can answer."""
    groups = {part: groups_of(runs) for part, runs in found.items()}
    lines = ["## Questions", ""]
    if "dsprites" in groups:
        lines += [_order(groups["dsprites"]), _related(groups["dsprites"])]
        lines += _blame(groups["dsprites"])
    if "dsprites_decoders" in groups and "dsprites" in groups:
        lines.append(_decoders(groups["dsprites_decoders"], groups["dsprites"]))
    coloured = [*groups.get("shapes3d", ()), *groups.get("shapes3d_decoders", ())]
    if any(group.runs[0].kind == "decoder" for group in coloured):
        lines.append(_floor(coloured))
    if "dsprites_composers" in groups:
        lines.append(_composed(groups["dsprites_composers"]))
    return lines


def _mean(group: Group, column: str) -> float:
    """The mean over runs; NaN where none has it."""
    number = group.number(column)
    return float("nan") if number is None else number.mean


def _by(groups: Sequence[Group]) -> dict[str, dict[str, Group]]:
    """Model -> condition -> group."""
    found: dict[str, dict[str, Group]] = {}
    for group in groups:
        found.setdefault(group.model, {})[group.condition] = group
    return found


def _said(*, confirmed: bool) -> str:
    return "**confirmed**" if confirmed else "**not confirmed**"


def _order(groups: Sequence[Group]) -> str:
    rows, fits = [], []
    for model, own in _by(groups).items():
        gaps = [_mean(own[name], "excess_gap") for name in _ORDER if name in own]
        fits.append(gaps == sorted(gaps) and len(gaps) == len(_ORDER))
        rows.append(f"{model} {', '.join(f'{gap:.1f}' for gap in gaps)}")
    return (
        f"- Gaps in the order element, range, extrapolation: {_said(confirmed=all(fits))} "
        f"({'; '.join(rows)} nats)."
    )


def _related(groups: Sequence[Group]) -> str:
    relations = [each for each in relations_of(groups) if each.column == "excess_gap"]
    told = [
        f"{each.condition} "
        + (
            "not known"
            if each.rho is None
            else f"{each.rho:.2f} ({each.low:.2f} to {each.high:.2f})"
        )
        for each in relations
    ]
    known = [r for r in relations if r.low is not None and r.high is not None]
    whole = len(known) == len(relations) > 0
    if whole and all(each.high < 0 for each in known if each.high is not None):
        answer = "**yes**"
    elif whole and all(r.low <= 0 <= r.high for r in known if None not in (r.low, r.high)):
        answer = "**no**, the intervals hold 0"
    else:
        answer = "**not the same in each condition**"
    return (
        f"- More disentangled, smaller gap: {answer}. Rank correlations with the gap: "
        f"{'; '.join(told)}."
    )


def _blame(groups: Sequence[Group]) -> list[str]:
    """Without a criterion: what displacement costs, and whether codes still tell the shape."""
    lines = []
    for group in groups:
        told = []
        for analysis, part, words in (
            ("attribution", "excess", "excess"),
            ("attribution", "recovered", "of it recovered without displacement"),
            ("factor_r2", "mlp_accuracy.shape", "shape read from codes, share"),
        ):
            pairs = [
                (
                    run.number("in_distribution", analysis, part),
                    run.number("held_out", analysis, part),
                )
                for run in group.runs
            ]
            known = [pair for pair in pairs if None not in pair]
            if known:
                inside, outside = np.mean(np.array(known, np.float64), axis=0)
                told.append(f"{words} {inside:.3g} in distribution, {outside:.3g} held out")
        lines.append(f"- Where from, {group.condition}, {group.model}: {'; '.join(told)}.")
    return lines


def _decoders(groups: Sequence[Group], models: Sequence[Group]) -> str:
    vae = _by(models)["vae"]
    rows, fits = [], []
    for model, own in _by(groups).items():
        for condition in _ORDER[1:]:
            if condition not in own or condition not in vae:
                continue
            gap, its = (_mean(each[condition], "excess_gap") for each in (own, vae))
            fits.append(gap >= its / 2)
            rows.append(f"{model}, {condition}: {gap:.1f} (VAE {its:.1f})")
    return (
        f"- Decoders of true factors fail like VAEs: {_said(confirmed=all(fits))} "
        f"({'; '.join(rows)} nats)."
    )


def _floor(groups: Sequence[Group]) -> str:
    rows, fits = [], []
    for group in groups:
        raw, floor, excess = (_mean(group, f"{name}_gap") for name in ("nll", "floor", "excess"))
        if group.runs[0].kind == "decoder":
            fits.append(floor >= 0.9 * raw)
        rows.append(
            f"{group.model}, {group.condition}: raw gap {raw:.1f}, floor gap {floor:.1f}, excess "
            f"gap {excess:.1f}"
        )
    return (
        f"- The raw gap of the decoder on 3DShapes is the entropy of the images: "
        f"{_said(confirmed=all(fits))} ({'; '.join(rows)} nats)."
    )


def _part(group: Group, part: str) -> float:
    """The mean over runs of a part of `composition`; NaN where none has it."""
    return float(np.mean([run.composition.get(part, np.nan) for run in group.runs]))


def _composed(groups: Sequence[Group]) -> str:
    rows, fits = [], []
    for group in groups:
        means = {regime: _part(group, f"{regime}.excess") for regime in _REGIMES}
        copied = {regime: _part(group, f"{regime}.copied") for regime in _REGIMES}
        if group.condition == "shape2tx":
            fits.append(means["id_ood"] >= 2 * means["id_id"])
        told = ", ".join(
            f"{regime} {value:.1f} ({copied[regime]:.1f} of the reference as it is)"
            for regime, value in means.items()
            # Extrapolation has no new output of known inputs.
            if not np.isnan(value)
        )
        rows.append(f"{group.model}, {group.condition}: {told}")
    return (
        f"- A new output is the difficulty of composers: {_said(confirmed=all(fits))} "
        f"({'; '.join(rows)} nats)."
    )
