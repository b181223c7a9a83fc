"""A dataset's images in the memory of the training device, where there is room for them."""

from __future__ import annotations

__all__ = ["ResidentImages", "resident"]

import logging
import math
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.data import Images, Selected, Store

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
        chosen: Row of each flat index, (n,), or None for all rows in their order.
    """

    def __init__(
        self,
        rows: Tensor,
        image_shape: tuple[int, int, int],
        *,
        bits: bool,
        scale: float,
        chosen: Tensor | None = None,
    ) -> None:
        self.rows = rows
        self.image_shape = image_shape
        self._scale = scale
        self._chosen = chosen
        shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=rows.device)
        self._shifts = shifts if bits else None

    def images(self, flat: NDArray[np.int64]) -> Tensor:
        """float32 (B, C, H, W) in [0, 1] of flat indices (B,), channels last in memory."""
        device = self.rows.device
        index = torch.from_numpy(flat)
        if device.type == "cuda":
            # The device need not wait for the copy, nor the host for the device.
            index = index.pin_memory()
        index = index.to(device, non_blocking=True)
        if self._chosen is not None:
            index = self._chosen[index]
        pixels = self.rows[index]
        if self._shifts is not None:
            pixels = (pixels[:, :, None] >> self._shifts).bitwise_and_(1).flatten(1)
            pixels = pixels[:, : math.prod(self.image_shape)]
        images = pixels.reshape(-1, *self.image_shape).permute(0, 3, 1, 2).to(torch.float32)
        return images if self._scale == 1.0 else images.mul_(self._scale)


def resident(images: Images, device: torch.device) -> ResidentImages | None:
    """The images on a CUDA device, if they lie in one store and half of its free memory holds it.

    Args:
        images: Those of a dataset; of a part of a store, the whole store goes there.
        device: Where the training runs.

    Returns:
        None where they stay on the host: on other devices, when there is no room, and for images
        that are composed when they are read.
    """
    if device.type != "cuda":
        return None
    chosen: NDArray[np.int64] | None = None
    while isinstance(images, Selected):
        chosen = images.rows if chosen is None else images.rows[chosen]
        images = images.base
    if not isinstance(images, Store):
        return None
    free, _ = torch.cuda.mem_get_info(device)
    if images.rows.nbytes > _SHARE * free:
        _LOG.info(
            "The images stay in host memory: they take %.1f GB, and the device has %.1f free.",
            images.rows.nbytes / 1e9,
            free / 1e9,
        )
        return None
    return upload(images, chosen, device)


def upload(store: Store, chosen: NDArray[np.int64] | None, device: torch.device) -> ResidentImages:
    """Copy a store to a device, in parts, so that host memory need not hold it."""
    rows = torch.empty(store.rows.shape, dtype=torch.uint8, device=device)
    step = max(1, _CHUNK // store.rows.shape[1])
    for first in range(0, store.count, step):
        part = np.ascontiguousarray(store.rows[first : first + step])
        rows[first : first + len(part)] = torch.from_numpy(part.copy()).to(device)
    return ResidentImages(
        rows,
        store.image_shape,
        bits=store.encoding == "bits",
        scale=store.scale,
        chosen=None if chosen is None else torch.from_numpy(chosen).to(device),
    )
