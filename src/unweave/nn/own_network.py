"""A network of the user's own within a model: tried out, and made anew under a drawn seed."""

from __future__ import annotations

__all__ = ["TRIAL", "Means", "OwnNetwork", "text_of"]

import math
from collections.abc import Callable
from typing import Any, Final, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from unweave.errors import SpecError, UnweaveError
from unweave.nn.references import told

TRIAL: Final = 2
"""Images or latents in a trial; layers that normalise need more than one."""


@final
class OwnNetwork(nn.Module):
    """A network of the user's own, which can be made anew under another seed.

    Args:
        what: Which it is, for messages.
        make: Makes it.
        takes: Shape of a batch that it is tried out on.
        moments: Whether it gives means and log variances, maybe as a pair, in float32.

    Attributes:
        gives: Shape of what it gives.
        within: Whether all of that lies from 0 to 1.
        min_batch: Smallest batch that it can be trained on: 2 where it normalises numbers, of
            which an image has one each, over the batch.
    """

    def __init__(
        self,
        what: str,
        make: Callable[[], Any],
        takes: tuple[int, ...],
        *,
        moments: bool = False,
    ) -> None:
        super().__init__()
        self._what = what
        self._make = make
        self._takes = takes
        self._moments = moments
        self.gives: tuple[int, ...] = ()
        self.within = False
        self.min_batch = 1
        self.network = self._made(0)

    def draw_weights(self, generator: torch.Generator) -> None:
        """Make the network anew, under a seed that is drawn."""
        self.network = self._made(int(torch.randint(2**62, (1,), generator=generator)))

    def forward(self, batch: Tensor) -> Tensor:
        """What the network gives for images or latents."""
        if not self._moments:
            given: Tensor = self.network(batch)
            return given
        kind = next((p.dtype for p in self.network.parameters()), torch.float32)
        with torch.autocast(batch.device.type, enabled=False):
            moments: Tensor = _joined(self.network(batch.to(kind)))
            return moments

    def _made(self, seed: int) -> nn.Module:
        """The network, tried out; its own draws come from PyTorch's generator under the seed."""
        # It is really made, whatever the surroundings: it may have tensors that are no parameters.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"), torch.no_grad():
            torch.default_generator.manual_seed(seed)
            try:
                network = self._make()
            except UnweaveError:
                raise
            except Exception as error:
                raise SpecError(
                    f"own: {self._what} cannot be made: {told(error)}. "
                    f"Arguments of its own are given as options."
                ) from error
            if not isinstance(network, nn.Module):
                raise SpecError(
                    f"own: {self._what} must be a module of PyTorch, or a function that makes "
                    f"one, but gave {type(network).__name__}."
                )
            self._try_out(network)
        return network

    def _try_out(self, network: nn.Module) -> None:
        modes = [(layer, layer.training) for layer in network.modules()]
        network.eval()
        normalising = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
        hooks = [layer.register_forward_pre_hook(self._note_batch) for layer in normalising]
        try:
            given = network(torch.zeros(self._takes))
        except Exception as error:
            raise SpecError(
                f"own: {self._what} fails for a batch {text_of(self._takes)}: {told(error)}."
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
        for layer, mode in modes:
            layer.training = mode
        given = _joined(given) if self._moments else given
        if not isinstance(given, Tensor) or not given.is_floating_point():
            pair = isinstance(given, tuple | list) and len(given) == 2 and "encoder" in self._what
            raise SpecError(
                f"own: {self._what} must give a tensor of floats, but gave "
                f"{given.dtype if isinstance(given, Tensor) else type(given).__name__}."
                f"{' For means and log variances write gives=moments.' if pair else ''}"
            )
        self.gives = tuple(given.shape)
        self.within = bool(((given >= 0) & (given <= 1)).all())

    def _note_batch(self, layer: nn.Module, given: tuple[Any, ...]) -> None:
        """Find out whether a layer would have one number to normalise of a batch of one."""
        shape = given[0].shape if given else ()
        if math.prod(shape) == TRIAL * math.prod(shape[1:2]):
            self.min_batch = 2


@final
class Means(nn.Module):
    """The means among means and log variances."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.latents = latents

    def forward(self, moments: Tensor) -> Tensor:
        """(B, L) of (B, 2 L)."""
        return moments[:, : self.latents]


def text_of(shape: tuple[int, ...]) -> str:
    """A shape for a message."""
    return f"({', '.join(map(str, shape))})"


def _joined(given: Any) -> Any:
    """Means and log variances in one tensor, where they are two of one shape."""
    pair = isinstance(given, tuple | list) and len(given) == 2
    if pair and all(isinstance(part, Tensor) and part.dim() == 2 for part in given):
        return torch.cat(tuple(given), dim=1)
    return given
