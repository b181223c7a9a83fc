"""Networks of the user's own as an architecture."""

from __future__ import annotations

__all__ = ["Own", "allow_own", "own_architecture"]

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias, final

import torch
from torch import nn

from unweave.errors import SpecError
from unweave.nn.architecture import Architecture
from unweave.nn.own_network import TRIAL, Means, OwnNetwork, text_of
from unweave.nn.pair import Pair, draw_halves
from unweave.nn.references import allow, check_reference, find, is_allowed, reference_of
from unweave.spec import Component, option

Value: TypeAlias = bool | int | float | str | tuple[int, ...]
Gives: TypeAlias = Literal["features", "moments"]


@final
class Own(Architecture):
    """An encoder and a decoder of the user's own, any modules of PyTorch.

    - The encoder maps images (B, C, H, W) from 0 to 1 to features (B, F); a dense layer from these
      to means and log variances is added. Or, with `gives=moments`, it gives means and log
      variances itself: (B, 2 L), all means first, or a pair (B, L), (B, L). A model without noise
      takes the means alone, (B, L). Such an encoder is trained in float32.
    - The decoder maps latents (B, L) to logits of pixels (B, C, H, W), so that no sigmoid comes
      last.

    Each is named by a text, `package.module:Name` or `path/file.py:Name`, of a class or of a
    function that makes it; or one of them is that of a published architecture. It is made with its
    options, and is told `image_shape` (H, W, C) and, to decode, `latents` where it has parameters
    of these names. All shapes are tried out before any work begins.

    First weights are those that the module gives itself, drawn by PyTorch under a seed that comes
    from the run's; the added layer is He-uniform. A parameter with `requires_grad=False` is never
    trained.

    What a text names is imported when it is trained with, or named to `own_architecture`, in this
    process; or where the environment variable UNWEAVE_ALLOW_OWN is 1. To read a run that was
    trained elsewhere never runs its code unasked.

    Example:
        >>> str(Own(encode="models.py:Encoder", decode="models.py:Decoder"))
        "own(encode='models.py:Encoder', decode='models.py:Decoder')"
    """

    name: ClassVar[str] = "own"
    sides: ClassVar[None] = None

    encode: str | Architecture = option(
        help="Class or function that makes the encoder, or an architecture that has it."
    )
    decode: str | Architecture = option(
        help="Class or function that makes the decoder, or an architecture that has it."
    )
    encode_options: tuple[tuple[str, Value], ...] = option(
        default=(), help="Names and values of arguments that the encoder is made with."
    )
    decode_options: tuple[tuple[str, Value], ...] = option(
        default=(), help="Names and values of arguments that the decoder is made with."
    )
    gives: Gives = option(
        default="features",
        help="What the encoder gives: features, or moments, which are means and log variances.",
    )

    def validate(self) -> None:
        """Refuse texts and options that cannot be right; nothing is imported."""
        for field, half, options in (
            ("encode", self.encode, self.encode_options),
            ("decode", self.decode, self.decode_options),
        ):
            if isinstance(half, str):
                check_reference(half, f"own: {field}")
            elif isinstance(half, Own | Pair):
                raise SpecError(f"own: {field} is {half}, which has two halves of its own.")
            elif options or (field == "encode" and self.gives == "moments"):
                raise SpecError(
                    f"own: {field} is the architecture {half}, so there is nothing to say of a "
                    f"network of your own: leave out {field}_options and gives."
                )
            names = [name for name, _ in options]
            if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
                raise SpecError(
                    f"own: {field}_options names arguments, each once, such as "
                    f"{field}_options=(('width', 64),), but has {names}."
                )
        if isinstance(self.encode, Architecture):
            self.encode.check_encodes("own: encode")
        if not isinstance(self.encode, str) and not isinstance(self.decode, str):
            raise SpecError(
                f"own: neither half is your own. Write pair(encode={self.encode}, "
                f"decode={self.decode})."
            )

    @property
    def min_batch(self) -> int:
        """That of a published half; that of networks of one's own is told by `min_batch_for`."""
        halves = [half for half in (self.encode, self.decode) if isinstance(half, Architecture)]
        return max((half.min_batch for half in halves), default=1)

    def min_batch_for(self, image_shape: tuple[int, int, int], latents: int) -> int:
        """That of both halves, as far as they may be imported, made for these images."""
        least = self.min_batch
        if isinstance(self.encode, str) and is_allowed(self.encode):
            least = max(least, _checked_encoder(self, image_shape, latents))
        if isinstance(self.decode, str) and is_allowed(self.decode):
            least = max(least, _checked_decoder(self, image_shape, latents))
        return least

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Try out both networks on zeros, where they may be imported.

        Raises:
            SpecError: One of them cannot be made, fails, or gives another shape than it must.
        """
        if isinstance(self.encode, Architecture):
            self.encode.check(image_shape, latents)
        elif is_allowed(self.encode):
            _checked_encoder(self, image_shape, latents)
        if isinstance(self.decode, Architecture):
            self.decode.check(image_shape, latents)
        elif is_allowed(self.decode):
            _checked_decoder(self, image_shape, latents)

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """The encoder, and how many features, or means and log variances, it gives.

        Raises:
            SpecError: The encoder gives something else than features.
        """
        if isinstance(self.encode, Architecture):
            return self.encode.trunk(image_shape)
        height, width, channels = image_shape
        takes = (TRIAL, channels, height, width)
        make = functools.partial(
            _make, self.encode, dict(self.encode_options), {"image_shape": image_shape}
        )
        what = f"the encoder {self.encode}"
        encoder = OwnNetwork(what, make, takes, moments=self.gives == "moments")
        if len(encoder.gives) != 2 or encoder.gives[0] != TRIAL:
            raise SpecError(
                f"own: {what} must give features (B, F), but gave {text_of(encoder.gives)} for "
                f"images {text_of(takes)}. Flatten what it gives."
            )
        return encoder, encoder.gives[1]

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """A dense layer, or none where the encoder gives means and log variances itself.

        Raises:
            SpecError: The encoder gives another number of means and log variances.
        """
        if isinstance(self.encode, Architecture):
            return self.encode.head(features, latents, moments)
        if self.gives == "features":
            return super().head(features, latents, moments)
        if features == moments * latents:
            return nn.Identity()
        if features == 2 * latents:
            return Means(latents)
        raise SpecError(_moments_error(self.encode, features, latents, moments))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """The decoder.

        Raises:
            SpecError: The decoder gives something else than logits of images.
        """
        if isinstance(self.decode, Architecture):
            return self.decode.decoder(image_shape, latents)
        height, width, channels = image_shape
        takes, needed = (TRIAL, latents), (TRIAL, channels, height, width)
        told = {"image_shape": image_shape, "latents": latents}
        make = functools.partial(_make, self.decode, dict(self.decode_options), told)
        what = f"the decoder {self.decode}"
        decoder = OwnNetwork(what, make, takes)
        if decoder.gives != needed:
            raise SpecError(
                f"own: {what} must give logits {text_of(needed)} for latents {text_of(takes)}, "
                f"but gave {text_of(decoder.gives)}."
            )
        *_, last = decoder.modules()
        if isinstance(last, nn.Sigmoid) and decoder.within:
            raise SpecError(
                f"own: {what} ends with a sigmoid, but must give logits, which the likelihood "
                f"turns into pixels. Leave the sigmoid out."
            )
        return decoder

    @property
    def halves(self) -> tuple[Architecture | None, Architecture | None]:
        """The architecture of a half that is published."""
        encode, decode = (
            half if isinstance(half, Architecture) else None for half in (self.encode, self.decode)
        )
        return encode, decode

    def initialise(self, network: nn.Module, generator: torch.Generator) -> None:
        """Networks of one's own as they are made, others as their architecture says."""
        draw_halves(network, generator, *self.halves)


def own_architecture(
    encoder: Callable[..., nn.Module] | Architecture | str,
    decoder: Callable[..., nn.Module] | Architecture | str,
    *,
    encoder_options: Mapping[str, Value] | None = None,
    decoder_options: Mapping[str, Value] | None = None,
    gives: Gives = "features",
) -> Own:
    """An architecture of your own networks, to be given to `train`.

    Classes and functions are written down by module and name, so that a run can be loaded later.
    Those of a script or notebook are found again only where the same are defined and named to this
    function once more; those of a module or file from everywhere.

    Args:
        encoder: Class of a module, function that makes one, text that names one of these
            (`package.module:Name` or `path/file.py:Name`), or architecture whose encoder is taken.
            What it gives is told at `Own`.
        decoder: The same of the decoder.
        encoder_options: Arguments by name that the encoder is made with: numbers, texts, truth
            values or tuples of whole numbers.
        decoder_options: The same of the decoder.
        gives: `features`, or `moments` where the encoder gives means and log variances itself.

    Raises:
        SpecError: One of them cannot be found again, such as a lambda, a class within a function
            or a network that is made already.

    Example:
        >>> from unweave.nn import Burgess
        >>> own = own_architecture("models.py:Encoder", Burgess(), encoder_options={"width": 64})
        >>> str(own)
        "own(encode='models.py:Encoder', decode=burgess, encode_options=((width, 64),))"
    """
    halves = [
        half if isinstance(half, str | Architecture) else reference_of(half)
        for half in (encoder, decoder)
    ]
    own = Own(
        encode=halves[0],
        decode=halves[1],
        encode_options=tuple((encoder_options or {}).items()),
        decode_options=tuple((decoder_options or {}).items()),
        gives=gives,
    )
    allow_own(own)
    # A name may stand for another class than before, as in a notebook.
    _checked_encoder.cache_clear()
    _checked_decoder.cache_clear()
    return own


def allow_own(component: Component) -> None:
    """Let the user's networks in a component be imported, since the user asked for them."""
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        if isinstance(value, Component):
            allow_own(value)
        elif isinstance(component, Own) and field.name in ("encode", "decode"):
            allow(value)


def _make(text: str, options: dict[str, Value], told: dict[str, Any]) -> Any:
    """What a text stands for, called with options and with what it wants to be told."""
    thing = find(text)
    try:
        wanted = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        wanted = set()
    return thing(**{n: v for n, v in told.items() if n in wanted} | options)


@functools.lru_cache(maxsize=64)
def _checked_encoder(own: Own, image_shape: tuple[int, int, int], latents: int) -> int:
    """Smallest batch that the encoder can be trained on."""
    encoder, features = own.trunk(image_shape)
    assert isinstance(encoder, OwnNetwork)
    if own.gives == "moments" and features not in (latents, 2 * latents):
        raise SpecError(_moments_error(own.encode, features, latents, 2))
    return encoder.min_batch


@functools.lru_cache(maxsize=64)
def _checked_decoder(own: Own, image_shape: tuple[int, int, int], latents: int) -> int:
    """Smallest batch that the decoder can be trained on."""
    decoder = own.decoder(image_shape, latents)
    assert isinstance(decoder, OwnNetwork)
    return decoder.min_batch


def _moments_error(text: object, features: int, latents: int, moments: int) -> str:
    what = "means and log variances" if moments == 2 else "codes"
    return (
        f"own: the encoder {text} gives {features} numbers an image, but {what} of {latents} "
        f"latents are {moments * latents}."
    )
