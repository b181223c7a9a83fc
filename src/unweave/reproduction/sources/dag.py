"""The tables of disent-and-gen: the numbers themselves are those of `unweave.generalise`."""

from __future__ import annotations

__all__ = ["DAG"]

from collections.abc import Iterator
from typing import Final

from unweave.generalise.published import PUBLISHED, SOURCE
from unweave.presets.dag_decoders import DECODER_RUNS
from unweave.reproduction.published import HELD_OUT, LeftOut, PublishedValue, Row, Source

_NOTEBOOKS: Final = "notebooks"


def _loss(value: float, *, held_out: bool) -> PublishedValue:
    return PublishedValue(
        value=value,
        metric="test_losses",
        part="recon",
        protocol="unweave",
        data=HELD_OUT if held_out else None,
        printed=_NOTEBOOKS,
        digits=2,
    )


def _rows() -> Iterator[Row]:
    for (dataset, condition, model), numbers in PUBLISHED.items():
        losses = (
            _loss(numbers.trained, held_out=False),
            _loss(numbers.held_out, held_out=True),
        )
        if model != "decoder":
            dci = PublishedValue(
                value=numbers.disentanglement,
                metric="dci_lasso",
                protocol="dag",
                printed=_NOTEBOOKS,
                digits=3,
            )
            yield Row(name=f"dag/{model}_{dataset}_{condition}", values=(dci, *losses))
            continue
        # Which network the printed numbers are of is not said: each that was run may be the one.
        networks = [network for variant, network in DECODER_RUNS[dataset] if variant == condition]
        names = [f"dag/decoder_{network}_{dataset}_{condition}" for network in networks]
        for name in names:
            first = "" if name == names[0] else names[0]
            yield Row(name=name, values=losses, label="candidate", instead_of=first)


DAG: Final = Source(
    name="dag",
    title="disent-and-gen",
    citation=SOURCE,
    printed={
        _NOTEBOOKS: "stored outputs of the notebooks of https://github.com/mmrl/disent-and-gen",
    },
    rows=tuple(_rows()),
    doubts=(
        "One run each; of some the source kept those with the highest disentanglement. Two of "
        "its seeds are known, the others are 0 here.",
        "The source kept the weights with the best reconstruction of training images, we the "
        "last ones.",
        "`recon` of 3DShapes is mostly the entropy of the images' own pixels, below which no "
        "model can be.",
        "Which network each reported run had is not said; presets have what the scripts name. Of "
        "decoders of true factors each network of the scripts is a row, at most one of them the "
        "published one. Of dSprites the numbers of its runs fit the commands of `higgins`.",
    ),
    left_out=(
        LeftOut(
            what="disentanglement of decoders", why="it is 1 by definition, and nothing is trained"
        ),
        LeftOut(what="composers", why="their scores are bars of a figure, without numbers"),
        LeftOut(what="models of MPI3D", why="they are configured, and have no numbers"),
    ),
)
"""Its published numbers, and the runs that repeat them."""
