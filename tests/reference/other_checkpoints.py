"""Models of three projects in plain PyTorch, laid out as their descriptions have them.

Each gives means, log variances and pixels by itself, so that what is imported from its state dict
can be compared. Names of layers are made up: none that matters is published.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

__all__ = [
    "LIE_ARGUMENTS",
    "DptConditional",
    "GaussianModel",
    "LieModel",
    "clg",
    "dag",
    "dpt",
    "randomise",
]

LIE_ARGUMENTS = {
    "model": "lie_group", "dataset": "dsprites", "latents": 2, "batch_size": 256,
    "learning_rate": 1e-4, "epochs": 70, "split": 0.0, "beta": 1.0, "capacity": None,
    "recons_loss_type": "bce", "hy_rec": 0.1, "hy_hes": 40.0, "hy_commute": 0.0,
    "forward_eg_prob": 0.2, "log_path": "/somewhere", "evaluate": False,
    "subgroup_sizes_ls": [9], "subspace_sizes_ls": [2],
}  # fmt: skip
"""What a Lie group VAE's `args.pt` says, of a small one."""


def randomise(model: nn.Module, seed: int = 0, scale: float = 0.07) -> nn.Module:
    """The same model with random weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, scale, generator=generator)
    return model.eval()


def convs(channels: int, widths, kernel: int = 4, padding: int = 1) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, kernel, 2, padding), nn.ReLU()]
        channels = width
    return layers


def dense(*sizes: int, activation=nn.ReLU) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for size, following in itertools.pairwise(sizes):
        layers += [nn.Linear(size, following), activation()]
    return layers


class GaussianModel(nn.Module):
    """An encoder that gives means, then log variances, and a decoder that gives logits."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, decoder_first: bool = False):
        super().__init__()
        if decoder_first:
            self.decoder = decoder
        self.encoder = encoder
        self.decoder = decoder

    @torch.no_grad()
    def codes(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.encoder(images).chunk(2, dim=1)
        return mean, logvar

    @torch.no_grad()
    def pixels(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(z)).reshape(len(z), -1, 64, 64)


class TwoHeads(nn.Module):
    """Layers, then a dense layer each for means and log variances."""

    def __init__(self, layers: list[nn.Module], features: int, latents: int, names) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.names = names
        for name in names:
            self.add_module(name, nn.Linear(features, latents))

    def forward(self, images: Tensor) -> Tensor:
        features = self.layers(images)
        by_name = dict(self.named_children())
        mean = next((n for n in self.names if "var" not in n and n != "b"), self.names[0])
        other = next(n for n in self.names if n != mean)
        return torch.cat([by_name[mean](features), by_name[other](features)], 1)


def _four_decoder(channels: int, sizes) -> nn.Module:
    layers = [*dense(*sizes), nn.Unflatten(1, (64, 4, 4))]
    for width, following in ((64, 64), (64, 32), (32, 32)):
        layers += [nn.ConvTranspose2d(width, following, 4, 2, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, channels, 4, 2, 1))


def clg(kind: str, channels: int = 1, latents: int = 3, **more) -> GaussianModel:
    """A baseline of the Lie group VAE: `beta_celeb` or `beta_shapes`."""
    if kind == "beta_shapes":
        pixels = 4096 * channels
        encoder = [nn.Flatten(), *dense(pixels, 1200, 1200), nn.Linear(1200, 2 * latents)]
        decoder = [*dense(latents, 1200, 1200, 1200, activation=nn.Tanh), nn.Linear(1200, pixels)]
        return GaussianModel(nn.Sequential(*encoder), nn.Sequential(*decoder), **more)
    encoder = [*convs(channels, (32, 32, 64, 64)), nn.Flatten(), *dense(1024, 256)]
    encoder += [nn.Linear(256, 2 * latents)]
    return GaussianModel(
        nn.Sequential(*encoder), _four_decoder(channels, (latents, 256, 1024)), **more
    )


def dag(kind: str, channels: int = 1, latents: int = 3, **more) -> GaussianModel:
    """A latent Gaussian model of disent-and-gen."""
    if kind == "higgins":
        return clg("beta_shapes", channels, latents, **more)
    head = 2 * latents
    if kind == "mpcnn":
        encoder, width = [], channels
        for _ in range(3):
            encoder += [nn.Conv2d(width, 32, 3, 1, 1), nn.MaxPool2d(2), nn.ReLU()]
            width = 32
        encoder += [nn.Flatten(), *dense(2048, 256, 256), nn.Linear(256, head)]
        decoder = [*dense(latents, 256, 256, 2048), nn.Unflatten(1, (32, 8, 8))]
        for _ in range(2):
            decoder += [nn.Upsample(scale_factor=2, mode="bilinear")]
            decoder += [nn.ConvTranspose2d(32, 32, 3, 1, 1), nn.ReLU()]
        decoder += [nn.Upsample((64, 64), mode="bilinear")]
        decoder += [nn.ConvTranspose2d(32, channels, 3, 1, 1)]
        return GaussianModel(nn.Sequential(*encoder), nn.Sequential(*decoder), **more)
    if kind == "burgess":
        encoder = [*convs(channels, (32, 32, 32, 32)), nn.Flatten(), *dense(512, 256, 256)]
        decoder = [*dense(latents, 256, 256, 512), nn.Unflatten(1, (32, 4, 4))]
        for _ in range(3):
            decoder += [nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU()]
        decoder += [nn.ConvTranspose2d(32, channels, 4, 2, 1)]
        encoder += [nn.Linear(256, head)]
        return GaussianModel(nn.Sequential(*encoder), nn.Sequential(*decoder), **more)
    hidden = {"burgess_v2": (256, 256), "kim": (256,), "mathieu": (128,)}[kind]
    encoder = [*convs(channels, (32, 32, 64, 64)), nn.Flatten(), *dense(1024, *hidden)]
    encoder += [nn.Linear(hidden[-1], head)]
    sizes = (latents, *hidden, 1024)
    return GaussianModel(nn.Sequential(*encoder), _four_decoder(channels, sizes), **more)


def dpt_encoder(kind: str, channels: int, outputs: int, names=("a", "b")) -> nn.Module:
    """An encoder of Disentanglement-PyTorch."""
    if kind.endswith("linear"):
        hidden = (400,) if kind == "shallow_linear" else (1000, 400, 200, 100)
        layers = [nn.Flatten(), *dense(4096 * channels, *hidden)]
        return TwoHeads(layers, hidden[-1], outputs // 2, names)
    if kind == "simple_conv64":
        layers = convs(channels, (32, 32, 64, 128, 256, 256))
    else:
        layers = convs(channels, (32, 32, 64, 128, 256), kernel=3, padding=0)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, outputs))


def dpt_decoder(kind: str, channels: int, inputs: int) -> nn.Module:
    """A decoder of Disentanglement-PyTorch."""
    if kind.endswith("linear"):
        hidden = (400,) if kind == "shallow_linear" else (100, 200, 400, 1000)
        return nn.Sequential(*dense(inputs, *hidden), nn.Linear(hidden[-1], 4096 * channels))
    layers: list[nn.Module] = [nn.Unflatten(1, (inputs, 1, 1)), nn.Conv2d(inputs, 256, 1, 2)]
    layers += [nn.ReLU(), nn.ConvTranspose2d(256, 256, 4, 2, 1), nn.ReLU()]
    for width, following in ((256, 128), (128, 128), (128, 64), (64, 64)):
        layers += [nn.ConvTranspose2d(width, following, 4, 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, channels, 3, 1))


def dpt(encode: str, decode: str, channels: int = 1, latents: int = 4, **more) -> GaussianModel:
    """A VAE of Disentanglement-PyTorch."""
    return GaussianModel(
        dpt_encoder(encode, channels, 2 * latents, **more), dpt_decoder(decode, channels, latents)
    )


class DptConditional(nn.Module):
    """A conditional VAE whose labels are tiled to planes, one network for each of their values."""

    def __init__(self, told: int, channels: int = 1, latents: int = 4) -> None:
        super().__init__()
        self.encoder = dpt_encoder("simple_conv64", channels + told, 2 * latents)
        self.decoder = dpt_decoder("simple_conv64", channels, latents + told)
        self.tiler = nn.ModuleList(
            nn.Sequential(
                nn.Linear(1, 64),
                nn.LeakyReLU(0.2),
                nn.Linear(64, 256),
                nn.LeakyReLU(0.2),
                nn.Linear(256, 4096),
            )
            for _ in range(told)
        )

    @torch.no_grad()
    def codes(self, images: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        planes = [net(one_hot[:, k : k + 1]) for k, net in enumerate(self.tiler)]
        planes = torch.stack(planes, 1).reshape(len(images), -1, 64, 64)
        mean, logvar = self.encoder(torch.cat([images, planes], 1)).chunk(2, dim=1)
        return mean, logvar

    @torch.no_grad()
    def pixels(self, z: Tensor, one_hot: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(torch.cat([z, one_hot], 1)))


class LieModel(nn.Module):
    """A Lie group VAE.

    Args:
        sizes: Entries of the matrices of each group.
        latents: Latents of each group.
        exponential: Whether there is a group; else two dense layers, with generators beside them.
        order: `blocked` or `interleaved` networks of means and log variances.
        names: Of the networks of means and of log variances.
    """

    def __init__(
        self,
        sizes=(9,),
        latents=(2,),
        channels: int = 1,
        *,
        exponential: bool = True,
        order: str = "blocked",
        names=("first", "second"),
    ) -> None:
        super().__init__()
        total, own = sum(sizes), sum(latents)
        self.sizes, self.latents, self.names = sizes, latents, names
        self.image = nn.Sequential(
            *convs(channels, (32, 32, 64, 64)),
            nn.Flatten(),
            *dense(1024, 256),
            nn.Linear(256, total),
        )
        kinds = [(name, k) for name in names for k in range(len(sizes))]
        if order == "interleaved":
            kinds = [(name, k) for k in range(len(sizes)) for name in names]
        self.heads = nn.ModuleDict(
            {
                f"{name}_{k}": nn.Sequential(
                    nn.Linear(sizes[k], 4 * sizes[k]),
                    nn.ReLU(),
                    nn.Linear(4 * sizes[k], latents[k]),
                )
                for name, k in kinds
            }
        )
        self.algebra = nn.ParameterList(
            nn.Parameter(torch.zeros(1, round(size**0.5), round(size**0.5)))
            for size, count in zip(sizes, latents, strict=True)
            for _ in range(count)
        )
        self.fake = (
            None
            if exponential
            else nn.Sequential(nn.Linear(own, 4 * own), nn.ReLU(), nn.Linear(4 * own, total))
        )
        self.decoder = _four_decoder(channels, (total, 256, 1024))

    @torch.no_grad()
    def codes(self, images: Tensor) -> tuple[Tensor, Tensor]:
        parts = torch.split(self.image(images), list(self.sizes), 1)
        mean, logvar = (
            torch.cat([self.heads[f"{name}_{k}"](part) for k, part in enumerate(parts)], 1)
            for name in self.names
        )
        return mean, logvar

    @torch.no_grad()
    def pixels(self, z: Tensor) -> Tensor:
        if self.fake is not None:
            return torch.sigmoid(self.decoder(self.fake(z)))
        elements, at = [], 0
        for count in self.latents:
            algebra = sum(z[:, at + j, None, None] * self.algebra[at + j] for j in range(count))
            elements.append(torch.linalg.matrix_exp(algebra).flatten(1))
            at += count
        return torch.sigmoid(self.decoder(torch.cat(elements, 1)))
