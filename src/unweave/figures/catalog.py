"""The kinds of figures of a run, and how one is drawn by its name."""

from __future__ import annotations

__all__ = ["CODES", "FIGURES", "Kind", "check_figure", "draw", "draw_from", "wants_images"]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from unweave.data import Dataset
from unweave.errors import SpecError
from unweave.figures import (
    decoded,
    lie_walks,
    logged,
    over_training,
    tables,
    told,
    walked,
)
from unweave.figures.circles import circles
from unweave.figures.concentration import dci_bars
from unweave.figures.correlations import correlations
from unweave.figures.embedding import embedding, tsne
from unweave.figures.generators import generators
from unweave.figures.group_reconstructions import group_reconstructions
from unweave.figures.interventions import irs
from unweave.figures.look import Look, Start
from unweave.figures.response import response
from unweave.figures.source import Source
from unweave.figures.usage import usage
from unweave.nn import LieGroup
from unweave.representation import Representation
from unweave.training import TrainConfig
from unweave.vae import VAE

Need: TypeAlias = Literal["images", "start", "codes", "told", "factors", "generators"]
"""Images of the dataset; images where walks start from the code of one; codes of images; a decoder
that is told labels, or is given factors; images whose factors are known; a decoder with a group of
matrices."""

CODES = 10_000
"""Images at most whose codes are drawn."""


@final
@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of figure.

    Attributes:
        about: What it shows, in a sentence.
        draw: From a run to what is drawn: a figure, pixels (H, W, C) uint8, or a moving picture;
            or None where the run has nothing to draw it from.
        needs: What a run must have for it.
        heeds: Fields of `Look` that make a difference to it.
        usual: Whether it is drawn when no kind is named, and for the report; what takes long, or
            few will look at, is not.
        animated: Whether it moves.
        start: Where its walks start by default.
        wants: What some runs lack for it, as the end of "it needs ...".
    """

    about: str
    draw: Callable[[Source], Any | None]
    needs: frozenset[Need] = frozenset()
    heeds: tuple[str, ...] = ()
    usual: bool = True
    animated: bool = False
    start: Start = "prior"
    wants: str = ""

    def file(self, name: str, form: str = "gif") -> str:
        """Name of the file of a figure, of moving ones in a format."""
        return f"{name}.{form if self.animated else 'png'}"


_OF_CODES: frozenset[Need] = frozenset({"images", "codes"})
_OF_FACTORS: frozenset[Need] = _OF_CODES | {"factors"}

_WALKS = ("rows", "cols", "range", "indices", "upsample", "labels", "seed", "layout")

# Scores whose tables are drawn as heat maps, and what these show.
_TABLES = {
    "dci": "Importance of latents for factors, of the newest DCI by boosted trees.",
    "dci_lasso": "Weights of latents for factors, of the newest DCI by lasso.",
    "dci_forest": "Importance of latents for factors, of the newest DCI by random forests.",
    "dci_hist": "Importance of latents for factors, of the newest DCI by trees of histograms.",
    "dci_per_tree": "Importance of latents for factors, of the newest DCI by trees that count "
    "alike.",
    "sap": "How well each latent alone tells each factor, of the newest SAP.",
    "sap_continuous": "How well each latent alone tells each factor as a number, of the newest "
    "SAP.",
}


def _table(metric: str, about: str) -> Kind:
    """The table of the newest score of a metric, as a heat map."""
    return Kind(
        about=about,
        draw=tables.table_of(metric),
        needs=frozenset({"codes"}),
        wants=f"the score {metric}, which `unweave evaluate` gives",
    )


FIGURES: dict[str, Kind] = {
    "samples": Kind(
        about="Images that the model makes of latents drawn from the prior.",
        draw=decoded.samples,
        needs=frozenset({"codes"}),
        heeds=("rows", "cols", "upsample", "seed", "layout"),
    ),
    "data_samples": Kind(
        about="Images of the dataset.",
        draw=decoded.data_samples,
        needs=frozenset({"images"}),
        heeds=("rows", "cols", "indices", "upsample", "seed", "layout"),
        usual=False,
    ),
    "reconstructions": Kind(
        about="Images of the dataset, and what the model makes of them.",
        draw=decoded.reconstructions,
        needs=frozenset({"images"}),
        heeds=("rows", "cols", "indices", "upsample", "labels", "seed", "layout"),
    ),
    "traversals": Kind(
        about="The image while one latent after the other takes each value and the others rest.",
        draw=walked.traversals,
        needs=frozenset({"codes", "start"}),
        heeds=(*_WALKS, "start"),
    ),
    "reconstruct_traverse": Kind(
        about="Images, their reconstructions, and traversals from the code of the first one.",
        draw=walked.reconstruct_traverse,
        needs=frozenset({"codes", "images"}),
        heeds=(*_WALKS, "start"),
        usual=False,
        start="posterior",
    ),
    "gif_traversals": Kind(
        about="A column for each image, a row for each latent, which all walk at the same time.",
        draw=walked.gif_traversals,
        needs=frozenset({"codes", "images"}),
        heeds=(*_WALKS, "cycle"),
        usual=False,
        animated=True,
        start="posterior",
    ),
    "conditions": Kind(
        about="Images under each value of each label that the decoder is told.",
        draw=told.conditions,
        needs=frozenset({"images", "told"}),
        heeds=("rows", "cols", "indices", "upsample", "seed"),
        wants="a decoder that is told labels, such as that of cvae",
    ),
    "attribute_traversals": Kind(
        about="One image, while one label after the other takes each value, and then one latent.",
        draw=told.attribute_traversals,
        needs=frozenset({"images", "told"}),
        heeds=("rows", "cols", "range", "indices", "upsample", "labels", "seed"),
        start="posterior",
        wants="a decoder that is told labels, such as that of cvae",
    ),
    "gif_attribute_traversals": Kind(
        about="A column for each image, a row for each label that the decoder is told and each "
        "latent, which all change at the same time.",
        draw=told.gif_attribute_traversals,
        needs=frozenset({"images", "told"}),
        heeds=("rows", "cols", "range", "indices", "upsample", "labels", "seed"),
        usual=False,
        animated=True,
        start="posterior",
        wants="a decoder that is told labels, such as that of cvae",
    ),
    "lie_walks": Kind(
        about="The image while each generator of a Lie group in turn moves its group element.",
        draw=lie_walks.lie_walks,
        needs=frozenset({"codes", "start", "generators"}),
        heeds=("rows", "cols", "range", "indices", "upsample", "start", "labels", "seed"),
        start="posterior",
        wants="the generators of lie_group_vae",
    ),
    "group_reconstructions": Kind(
        about="Images, what a Lie group VAE makes of the group elements of their latents, and of "
        "the group features of its encoder, past the latents.",
        draw=group_reconstructions,
        needs=frozenset({"images", "codes", "generators"}),
        heeds=("rows", "cols", "indices", "upsample", "labels", "seed"),
        wants="the generators of lie_group_vae",
    ),
    "training": Kind(
        about="Traversals from snapshot to snapshot of the training, or its pictures on the way.",
        draw=over_training.training,
        needs=frozenset({"start"}),
        heeds=("rows", "cols", "range", "indices", "upsample", "start", "labels", "seed"),
        usual=False,
        animated=True,
        wants="two snapshots (--snapshot-every) or two pictures (--picture-every) of the training",
    ),
    "loss_curves": Kind(
        about="The loss and each of its terms during training.",
        draw=logged.loss_curves,
        wants="records of its training",
    ),
    "kl": Kind(
        about="The KL of each latent during training.",
        draw=logged.kl,
        needs=frozenset({"codes"}),
        wants="records of its training, with posteriors that have noise",
    ),
    "mig": Kind(
        about="Mutual information of latents and factors, of the newest MIG.",
        draw=tables.mig,
        needs=frozenset({"codes"}),
        wants="the score mig, which `unweave evaluate` gives",
    ),
    "response": Kind(
        about="Mean and spread of each latent over the values of each factor.",
        draw=response,
        needs=_OF_FACTORS,
        wants="a factor that varies",
    ),
    "circles": Kind(
        about="Codes of circular factors on the two latents that know most of each.",
        draw=circles,
        needs=_OF_FACTORS,
        wants="a circular factor that varies, and two latents",
    ),
    "usage": Kind(
        about="KL of each latent, variances of means and posteriors, and where its means lie.",
        draw=usage,
        needs=_OF_CODES,
    ),
    "irs": Kind(
        about="Each latent while its factor is set, and while another one is set as well.",
        draw=irs,
        needs=_OF_FACTORS,
        wants="a factor that varies",
    ),
    "correlations": Kind(
        about="Correlations of latents among each other and with factors.",
        draw=correlations,
        needs=_OF_CODES,
    ),
    "embedding": Kind(
        about="Codes along the two directions in which they vary most, coloured by each factor.",
        draw=embedding,
        needs=_OF_CODES,
        wants="two latents",
    ),
    "tsne": Kind(
        about="Codes embedded in two dimensions by t-SNE, coloured by each factor.",
        draw=tsne,
        needs=_OF_CODES,
        heeds=("seed",),
        usual=False,
        wants="two latents that vary",
    ),
    "generators": Kind(
        about="Norms, products, commutators and eigenvalues of the generators of a Lie group.",
        draw=generators,
        needs=frozenset({"generators"}),
        wants="the generators of lie_group_vae",
    ),
    "score_curves": Kind(
        about="Scores during the training.",
        draw=logged.score_curves,
        wants="scores during its training (--evaluate-every)",
    ),
    "hinton": Kind(
        about="Weights of latents for factors, of the newest DCI, by lasso where there is one.",
        draw=tables.hinton,
        needs=frozenset({"codes"}),
        wants="a score of the family dci, which `unweave evaluate` gives",
    ),
    "dci_bars": Kind(
        about="Disentanglement of each latent and completeness of each factor, of the newest DCI, "
        "by lasso where there is one.",
        draw=dci_bars,
        needs=frozenset({"codes"}),
        wants="a score of the family dci, which `unweave evaluate` gives",
    ),
    **{metric: _table(metric, about) for metric, about in _TABLES.items()},
}
"""Each kind by its name, in the order of a page."""


def draw(
    kind: str,
    folder: Path,
    config: TrainConfig,
    model: VAE,
    dataset: Dataset | None,
    step: int | None = None,
    look: Look | None = None,
    encode: Callable[[], Representation] | None = None,
) -> Any | None:
    """A figure by name, or None when the run has nothing to draw it from.

    Args:
        kind: One of `FIGURES`.
        folder: The run folder.
        config: The run's configuration.
        model: The run's model.
        dataset: The run's dataset; None will do where `wants_images` says so.
        step: Steps of the model's weights, whose scores on the run's own dataset are drawn; None
            for the newest scores.
        look: What is asked for of the picture.
        encode: Gives codes and factors of at most `CODES` images of the dataset, where a figure of
            them is to be drawn; one table at every call.
    """
    return draw_from(kind, Source(folder, config, model, dataset, step, look or Look(), encode))


def draw_from(kind: str, source: Source) -> Any | None:
    """A figure by name, or None when the run has nothing to draw it from.

    Args:
        kind: One of `FIGURES`.
        source: The run, and what is asked for of the picture.
    """
    return None if _why_not(kind, source.config) else FIGURES[kind].draw(source)


def wants_images(kind: str, model: VAE, look: Look | None = None) -> bool:
    """Whether a figure of this model needs the images of the dataset.

    Args:
        kind: A name from `FIGURES`.
        model: What it would be drawn of.
        look: What is asked for of it.
    """
    needs = FIGURES[kind].needs
    if "codes" in needs and not model.encodes:
        return False
    start = (None if look is None else look.start) or FIGURES[kind].start
    if "start" in needs and start == "posterior":
        return True
    return "images" in needs and ("told" not in needs or told.tells(model))


def check_figure(kind: str, config: TrainConfig) -> None:
    """Refuse a figure of what a run does not have: codes, factors or generators.

    Raises:
        SpecError: It is one; the message says why, or what can be drawn instead.
    """
    if "codes" in FIGURES[kind].needs:
        config.objective.expand().check_encodes(f"The figure {kind}")
    if reason := _why_not(kind, config):
        raise SpecError(reason)


def _why_not(kind: str, config: TrainConfig) -> str | None:
    """Why a run cannot have a figure, of what only some runs have."""
    needs = FIGURES[kind].needs
    if "factors" in needs and not config.dataset.labelled:
        return f"The figure {kind} shows factors, and those of {config.dataset} are not known."
    network = config.architecture
    if "generators" in needs and not (isinstance(network, LieGroup) and network.exponential):
        return (
            f"The figure {kind} shows the generators of a Lie group, and {network} has none: "
            "train lie_group_vae."
        )
    return None
