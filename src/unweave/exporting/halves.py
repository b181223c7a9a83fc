"""Encoder and decoder of a model, each as a network of its own with plain inputs and outputs."""

from __future__ import annotations

__all__ = ["Decoder", "Encoder", "halves"]

import copy
from typing import final

import torch
from torch import Tensor, nn

from unweave.exporting.standard import standard
from unweave.likelihoods import Likelihood
from unweave.nn.conditions import LabelPlanes
from unweave.vae import VAE


@final
class Encoder(nn.Module):
    """From images (N, C, H, W) in [0, 1] to posterior means (N, L).

    Args:
        model: A model of standard layers.
        told: Whether labels (N, width) are a second input; else no label of an image is known.
    """

    def __init__(self, model: VAE, *, told: bool = False) -> None:
        super().__init__()
        self.latents = model.latents
        self.trunk = model.trunk
        self.head = model.head
        self.planes: nn.Module | None = None
        if model.label_planes is not None:
            assert model.conditions is not None
            planes = _Planes(model.label_planes)
            neutral = model.conditions.neutral()[None]
            with torch.no_grad():
                self.planes = planes if told else _Constant(planes(neutral))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The means."""
        if self.planes is not None:
            planes = self.planes(images if labels is None else labels)
            images = torch.cat([images, planes], dim=1)
        moments: Tensor = self.head(self.trunk(images))
        return moments[:, : self.latents]


@final
class Decoder(nn.Module):
    """From latents (N, L) to expected pixels (N, C, H, W) in [0, 1].

    Args:
        model: A model of standard layers.
        told: Whether labels (N, width) are a second input; else no label of an image is known.
    """

    def __init__(self, model: VAE, *, told: bool = False) -> None:
        super().__init__()
        self.decoder = model.decoder
        self.likelihood: Likelihood = model.likelihood
        self.neutral: nn.Module | None = None
        if model.conditions is not None and not told:
            self.neutral = _Constant(model.conditions.neutral()[None])

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The pixels."""
        if self.neutral is not None:
            labels = self.neutral(z)
        if labels is not None:
            z = torch.cat([z, labels], dim=1)
        logits: Tensor = self.decoder(z)
        return self.likelihood.mean(logits)


@final
class _Constant(nn.Module):
    """The same values for each image of a batch: (1, ...) to (N, ...)."""

    values: Tensor

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.register_buffer("values", values.clone())

    def forward(self, batch: Tensor) -> Tensor:
        return self.values.expand(batch.shape[0], *self.values.shape[1:])


@final
class _Planes(nn.Module):
    """`LabelPlanes` in operations that do not depend on the number of images."""

    def __init__(self, planes: LabelPlanes) -> None:
        super().__init__()
        self.size = planes.size
        self.count = len(planes.weights)
        for index, (weight, bias) in enumerate(zip(planes.weights, planes.biases, strict=True)):
            self.register_buffer(f"weight{index}", weight.detach())
            self.register_buffer(f"bias{index}", bias.detach())

    def forward(self, labels: Tensor) -> Tensor:
        values = labels.t()[:, :, None]
        for index in range(self.count):
            weight, bias = self.get_buffer(f"weight{index}"), self.get_buffer(f"bias{index}")
            values = torch.bmm(values, weight) + bias
            if index < self.count - 1:
                values = nn.functional.leaky_relu(values, 0.2)
        planes: Tensor = values.transpose(0, 1).unflatten(2, self.size)  # type: ignore[no-untyped-call]
        return planes


def halves(model: VAE, *, told: bool) -> dict[str, nn.Module]:
    """Encoder and decoder of standard layers on the processor, in float32, ready to be exported.

    Args:
        model: Any model; it stays as it is. A decoder alone has no encoder.
        told: Whether both take labels as a second input.
    """
    plain = copy.deepcopy(model).cpu().float().eval().requires_grad_(False)
    plain.autocast_dtype = None
    plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    plain = standard(plain)  # type: ignore[assignment]
    made: dict[str, nn.Module] = {"decoder": Decoder(plain, told=told)}
    if model.encodes:
        made["encoder"] = Encoder(plain, told=told)
    return {name: half.eval().requires_grad_(False) for name, half in made.items()}
