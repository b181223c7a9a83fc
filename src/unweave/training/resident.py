"""A dataset's images in the memory of the training device, where there is room for them."""

from __future__ import annotations

__all__ = ["Resident", "ResidentImages", "ResidentLayers", "on_device", "resident"]

import logging
import math
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.data import Images, Layered, Selected, Store

_LOG = logging.getLogger(__name__)

# What model, activations and optimiser get at least.
_SHARE = 0.5
_CHUNK = 2**28


@final
class ResidentImages:
    """Encoded images on a device; a batch is gathered and decoded there.

    Args:
        rows: As the store keeps them, (N, row bytes) uint8.
        image_shape: (H, W, C).
        bits: Whether a byte holds eight pixels, the first in the highest bit.
        scale: What pixels are multiplied with to be between 0 and 1.
        chosen: Row of each flat index, (n,), or None for all rows in their order; the host keeps
            these.
    """

    def __init__(
        self,
        rows: Tensor,
        image_shape: tuple[int, int, int],
        *,
        bits: bool,
        scale: float,
        chosen: NDArray[np.int64] | None = None,
    ) -> None:
        self.rows = rows
        self.image_shape = image_shape
        self._scale = scale
        self._chosen = chosen
        shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=rows.device)
        self._shifts = shifts if bits else None

    def images(self, flat: NDArray[np.int64]) -> Tensor:
        """float32 (B, C, H, W) in [0, 1] of flat indices (B,), channels last in memory."""
        flat = flat if self._chosen is None else self._chosen[flat]
        index = on_device(flat, self.rows.device)
        pixels = self.rows[index]
        if self._shifts is not None:
            pixels = (pixels[:, :, None] >> self._shifts).bitwise_and_(1).flatten(1)
            pixels = pixels[:, : math.prod(self.image_shape)]
        return _as_floats(pixels.reshape(-1, *self.image_shape), self._scale)


@final
class ResidentLayers:
    """Layers on a device, which are added up there.

    Args:
        layers: Those of `images.store`, (N, H * W * C) int16.
        images: Says which layers add up to which image, and how.
        chosen: Flat index in `images` of each flat index, (n,), or None for all in their order.
    """

    def __init__(
        self, layers: Tensor, images: Layered, chosen: NDArray[np.int64] | None = None
    ) -> None:
        self.layers = layers
        self.image_shape = images.image_shape
        self._images = images
        self._chosen = chosen

    def images(self, flat: NDArray[np.int64]) -> Tensor:
        """float32 (B, C, H, W) in [0, 1] of flat indices (B,), channels last in memory."""
        rows = self._images.rows(flat if self._chosen is None else self._chosen[flat])
        first, *others = on_device(rows, self.layers.device)
        total = self.layers[first]
        for further in others:
            total += self.layers[further]
        fraction = self._images.fraction
        pixels = total.clamp_(0, 255 << fraction).bitwise_right_shift_(fraction)
        return _as_floats(pixels.reshape(-1, *self.image_shape), self._images.scale)


Resident: TypeAlias = ResidentImages | ResidentLayers


def resident(images: Images, device: torch.device) -> Resident | None:
    """The images on a CUDA device, if they lie in one store and half of its free memory holds it.

    Args:
        images: Those of a dataset; of a part of a store, the whole store goes there.
        device: Where the training runs.

    Returns:
        None where they stay on the host: on other devices, when there is no room, and for images
        that are drawn, or composed by other means than adding layers, when they are read.
    """
    if device.type != "cuda":
        return None
    chosen: NDArray[np.int64] | None = None
    while isinstance(images, Selected):
        chosen = images.rows if chosen is None else images.rows[chosen]
        images = images.base
    if not isinstance(images, Store | Layered):
        return None
    store = images if isinstance(images, Store) else images.store
    free, _ = torch.cuda.mem_get_info(device)
    if store.rows.nbytes > _SHARE * free:
        _LOG.info(
            "The images stay in host memory: they take %.1f GB, and the device has %.1f free.",
            store.rows.nbytes / 1e9,
            free / 1e9,
        )
        return None
    rows = upload(store, device)
    if isinstance(images, Layered):
        return ResidentLayers(rows.view(torch.int16), images, chosen)
    return ResidentImages(
        rows,
        store.image_shape,
        bits=store.encoding == "bits",
        scale=store.scale,
        chosen=chosen,
    )


def upload(store: Store, device: torch.device) -> Tensor:
    """The rows of a store on a device, copied in parts, so that host memory need not hold them."""
    rows = torch.empty(store.rows.shape, dtype=torch.uint8, device=device)
    step = max(1, _CHUNK // store.rows.shape[1])
    for first in range(0, store.count, step):
        part = np.ascontiguousarray(store.rows[first : first + step])
        rows[first : first + len(part)] = torch.from_numpy(part.copy()).to(device)
    return rows


def on_device(index: NDArray[Any], device: torch.device) -> Tensor:
    """Numbers on a device; neither it nor the host waits for the other."""
    on_host = torch.from_numpy(index)
    if device.type == "cuda":
        on_host = on_host.pin_memory()
    return on_host.to(device, non_blocking=True)


def _as_floats(pixels: Tensor, scale: float) -> Tensor:
    """(B, H, W, C) whole numbers as (B, C, H, W) floats times `scale`, channels last in memory."""
    images = pixels.permute(0, 3, 1, 2).to(torch.float32)
    return images if scale == 1.0 else images.mul_(scale)
