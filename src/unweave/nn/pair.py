"""The encoder of one architecture and the decoder of another."""

from __future__ import annotations

__all__ = ["Pair", "draw_halves"]

from typing import ClassVar, final

import torch
from torch import nn

from unweave.errors import SpecError
from unweave.nn.architecture import Architecture
from unweave.nn.initialise import initialise
from unweave.spec import option


@final
class Pair(Architecture):
    """The encoder of one architecture with the decoder of another, each with its first weights.

    Images must be such as both take.

    Example:
        >>> from unweave.spec import parse
        >>> str(parse("pair(encode=padless_conv64, decode=kim)", Architecture))
        'pair(encode=padless_conv64, decode=kim)'
    """

    name: ClassVar[str] = "pair"
    sides: ClassVar[None] = None

    encode: Architecture = option(help="Architecture whose encoder is taken.")
    decode: Architecture = option(help="Architecture whose decoder is taken.")

    def validate(self) -> None:
        """Refuse what is a pair itself."""
        for half in (self.encode, self.decode):
            if isinstance(half, Pair):
                raise SpecError(
                    f"pair: {half} has two halves of its own. Give the architecture of the half "
                    f"that you mean."
                )
        self.encode.check_encodes("pair: encode")

    @property
    def min_batch(self) -> int:
        """What both can be trained on."""
        return max(self.encode.min_batch, self.decode.min_batch)

    def min_batch_for(self, image_shape: tuple[int, int, int], latents: int) -> int:
        """What both can be trained on, made for these images."""
        halves = (self.encode, self.decode)
        return max(half.min_batch_for(image_shape, latents) for half in halves)

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Refuse what either does not take."""
        self.encode.check(image_shape, latents)
        self.decode.check(image_shape, latents)

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """That of the one."""
        return self.encode.trunk(image_shape)

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """That of the same."""
        return self.encode.head(features, latents, moments)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """That of the other."""
        return self.decode.decoder(image_shape, latents)

    @property
    def halves(self) -> tuple[Architecture | None, Architecture | None]:
        """That of the one and that of the other."""
        return self.encode.halves[0], self.decode.halves[1]

    def initialise(self, network: nn.Module, generator: torch.Generator) -> None:
        """Weights of each half as its architecture draws them."""
        draw_halves(network, generator, *self.halves)


def draw_halves(
    network: nn.Module,
    generator: torch.Generator,
    encode: Architecture | None,
    decode: Architecture | None,
) -> None:
    """Draw the weights of a model whose decoder is of another architecture than the rest.

    Args:
        network: The whole model.
        generator: What is drawn from.
        encode: Draws all but the decoder; He-uniform weights where there is none.
        decode: Draws the decoder; He-uniform weights where there is none.
    """
    for name, part in network.named_children():
        draw = decode if name == "decoder" else encode
        (initialise if draw is None else draw.initialise)(part, generator)
