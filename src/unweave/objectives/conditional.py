"""The conditional VAE, and what methods share whose model is told labels."""

from __future__ import annotations

__all__ = ["CVAE", "ConditionalMethod"]

from typing import ClassVar, final

from unweave.errors import SpecError
from unweave.nn import Conditions, LabelEncoding
from unweave.objectives.base import Method, Term
from unweave.objectives.kl import KL
from unweave.objectives.needs import Needs, Setup
from unweave.objectives.reconstruction import Reconstruction
from unweave.objectives.told import ENCODING_HELP, LABELS_HELP, check_names, told_labels
from unweave.schedules import Schedule
from unweave.spec import number, option


class ConditionalMethod(Method):
    """Family of methods whose decoder is told labels beside the latents.

    Class attributes:
        planes: Whether the encoder sees the labels, too.
    """

    planes: ClassVar[bool] = False

    labels: tuple[str, ...] = option(default=(), help=LABELS_HELP)
    encoding: LabelEncoding = option(default="one_hot", help=ENCODING_HELP)
    kl: float | Schedule = number(default=1.0, low=0, help="Weight of a KL without a capacity.")
    gamma: float | Schedule | None = number(
        default=None, low=0, help="Weight of the distance of the KL from a capacity."
    )
    capacity: float | Schedule | None = number(
        default=None, low=0, help="Nats that the KL is held at; None for an ordinary KL."
    )

    def validate(self) -> None:
        """Refuse a label that is named twice, and weights of the KL that exclude each other."""
        check_names(self.name, self.labels)
        if (self.gamma is None) != (self.capacity is None):
            raise SpecError(
                f"{self.name}: gamma weights the distance of the KL from the capacity, so give "
                f"both, or neither and kl."
            )
        if self.capacity is not None and self.kl != type(self)().kl:
            raise SpecError(
                f"{self.name}: kl weights a KL without a capacity. Give kl, or gamma and capacity."
            )

    @property
    def needs(self) -> Needs:
        """The labels of each image."""
        return Needs(factors=True)

    def check(self, setup: Setup) -> None:
        """Refuse labels that the dataset does not have.

        Raises:
            SpecError: The message names those that it has.
        """
        self.conditions(setup)

    def conditions(self, setup: Setup) -> Conditions:
        """The labels by their names, or the categorical ones."""
        return told_labels(setup, self.name, self.labels, self.encoding, planes=self.planes)

    def labels_read(self, setup: Setup) -> tuple[str, ...]:
        """The labels that the model is told."""
        names = setup.labels(self.name).names
        return tuple(names[column] for column in self.conditions(setup).columns)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL."""
        if self.capacity is None or self.gamma is None:
            return (Reconstruction(), KL(weight=self.kl))
        return (Reconstruction(), KL(weight=self.gamma, capacity=self.capacity))


@final
class CVAE(ConditionalMethod):
    r"""A VAE whose encoder and decoder are told labels of the image.

    .. math:: -\mathbb{E}_{q(z|x,y)} \log p(x|z,y) + w \, \mathrm{KL}(q(z|x,y) \,\|\, p(z))

    The encoder sees each number of the labels as a learned plane beside the image
    (`nn.LabelPlanes`), the decoder takes the numbers after the latents. The KL may have a
    capacity, as in `annealed_vae`. Terms that are added see the latents alone. Nothing but the
    weight of the KL keeps the latents from telling the labels, too, so it is 4 by default, where
    the evidence lower bound has 1; add `adversarial_information` for more.

    Codes for metrics are encoded without labels, every value of each having an equal share.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "cvae"
    planes: ClassVar[bool] = True

    kl: float | Schedule = number(default=4.0, low=0, help="Weight of a KL without a capacity.")
