"""The networks of the Lie group VAE: latents are coordinates of a group of matrices."""

from __future__ import annotations

__all__ = ["LieGroup"]

import math
from typing import ClassVar, final

from torch import nn

from unweave.errors import SpecError
from unweave.nn.architecture import Architecture
from unweave.nn.four_convolutions import SIDES, four_trunk, from_four
from unweave.nn.initialise import Draw, xavier_uniform
from unweave.nn.lie_group_maps import DirectProduct, Generators, make_group
from unweave.nn.lie_group_networks import ExactLinear, GroupDecoder, GroupEncoder
from unweave.spec import number, option

_HIDDEN = 256


@final
class LieGroup(Architecture):
    """The convolutions of `kim` with a group of matrices between latents and images.

    The encoder gives group features, as many as the matrices have entries, and from these, with
    two networks for each group, means and log variances. The decoder makes matrices
    expm(t_1 A_1 + ... + t_L A_L) of latents t, with learned generators A, and images of their
    entries. With several groups each has latents, features and matrices of its own.

    With `exponential=False`, two dense layers stand in place of the group, with 4 L units between
    them: the bottleneck without a group that the publication compares with.

    Generators that commute are made so by `generators=commuting`, which takes no exponential:
    blocks of two rows that turn and grow, the same for all after one change of basis. `skew` ones
    make rotations. Both are unweave's own; the publication has `free` ones.

    `sizes=(100,)` are matrices of 10 by 10. For 64x64x1, ten latents and these there are 897,665
    parameters; for 64x64x3 and `sizes=(400,)`, 2,283,015. First weights are Xavier-uniform, biases
    PyTorch's. Labels that a conditional model is told go past the group, to the image.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu and Tao, 2021)
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "lie_group"
    sides: ClassVar[tuple[int, ...]] = SIDES
    draw: ClassVar[Draw] = xavier_uniform

    sizes: tuple[int, ...] = number(
        default=(100,), low=1, help="Entries of each group's matrices, a square number each."
    )
    latents: tuple[int, ...] = number(default=(10,), low=1, help="Latents of each group.")
    init: float = number(
        default=0.001, above=0, help="Standard deviation of the generators' first entries."
    )
    exponential: bool = option(
        default=True, help="Whether there is a group; else two dense layers are in its place."
    )
    generators: Generators = option(
        default="free",
        help="free: any matrices; skew: those of rotations; commuting: those that commute.",
    )

    def validate(self) -> None:
        """Refuse sizes that are no squares, and settings that would change nothing."""
        for size in self.sizes:
            root = math.isqrt(size)
            if root * root != size:
                raise SpecError(
                    f"lie_group: sizes are entries of square matrices, such as {root**2} or "
                    f"{(root + 1) ** 2}, not {size}."
                )
        if not self.sizes or len(self.sizes) != len(self.latents):
            raise SpecError(
                f"lie_group: sizes and latents have one number for each group, but there are "
                f"{len(self.sizes)} and {len(self.latents)}. Write, for two groups, "
                f"sizes=(25, 25), latents=(5, 5)."
            )
        if self.generators == "skew" and 1 in self.sizes:
            raise SpecError(
                "lie_group: generators=skew of one row are 0, so that images would show nothing "
                "of their latents. Give such a group at least 4 entries, for 2 rows."
            )
        if not self.exponential and self.generators != "free":
            raise SpecError(
                f"lie_group: exponential=False has no generators, so that "
                f"generators={self.generators} would change nothing. Leave one of them out."
            )

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Images are square of 32, 64 or 128 pixels; latents are as many as its groups have.

        Raises:
            SpecError: They are not; the message says what to write.
        """
        super().check(image_shape, latents)
        if latents != sum(self.latents):
            have = f"{len(self.latents)} groups have" if len(self.latents) > 1 else "group has"
            fitting = (latents,) if len(self.latents) == 1 else "(...)"
            raise SpecError(
                f"lie_group: its {have} {sum(self.latents)} latents, and the model has {latents}. "
                f"Write latents={fitting} in lie_group, or train with {sum(self.latents)} latents."
            )

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and two dense layers; the features of all groups."""
        layers, width = four_trunk(image_shape, (_HIDDEN,))
        assert isinstance(layers, nn.Sequential)
        features = sum(self.sizes)
        return layers.append(ExactLinear(width, features)), features

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """Two networks for each group, or one for codes without noise."""
        return GroupEncoder(self.sizes, self.latents, moments)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Groups, two dense layers and transposed convolutions."""
        own, features = sum(self.latents), sum(self.sizes)
        groups: nn.Module
        if self.exponential:
            pairs = list(zip(self.sizes, self.latents, strict=True))
            groups = DirectProduct(
                [
                    make_group(self.generators, count, math.isqrt(size), self.init)
                    for size, count in pairs
                ],
                self.latents,
            )
        else:
            groups = nn.Sequential(
                nn.Linear(own, 4 * own), nn.ReLU(), nn.Linear(4 * own, features)
            )
        width = features + latents - own
        pixels = from_four(image_shape, width, (_HIDDEN,))
        assert isinstance(pixels, nn.Sequential)
        pixels[0] = ExactLinear(width, _HIDDEN)
        return GroupDecoder(own, groups, pixels)
