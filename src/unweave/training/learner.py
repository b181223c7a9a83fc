"""A model, its parts and its players, and how one batch changes them."""

from __future__ import annotations

__all__ = ["Learner"]

import dataclasses
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from unweave.latents import DiagonalGaussian
from unweave.objectives import Batch, Inputs, Player
from unweave.randomness import Streams, derive
from unweave.training.config import TrainConfig
from unweave.training.precision import autocast_dtype
from unweave.training.tracker import Tracker


@dataclass
class _Side:
    """A player's parameters and optimiser."""

    name: str
    player: Player | None
    parameters: list[nn.Parameter]
    optimizer: torch.optim.Optimizer


@final
class Learner:
    """Everything with weights in a run, on its device.

    Attributes:
        model: The VAE.
        parts: Further networks, by name.
        plan: The objective, expanded.
        setup: What the objective was told before there were weights.
        tracker: Running means of losses and terms.
    """

    def __init__(
        self, config: TrainConfig, image_shape: tuple[int, int, int], images: int
    ) -> None:
        """Build and initialise the networks of a resolved configuration.

        Args:
            config: With device, threads and precision fixed.
            image_shape: (H, W, C).
            images: Number of images trained on.
        """
        self.device = torch.device(config.device)
        self.seed = config.seed
        self.dataset_size = images
        self.plan = config.objective.expand()
        self.setup = dataclasses.replace(config.setup, image_shape=image_shape)
        seeds = (derive(config.seed, f"{what} weights") for what in ("model", "part"))
        of_model, of_parts = (torch.Generator().manual_seed(seed) for seed in seeds)
        self.model = self.plan.make_model(self.setup, config.likelihood, of_model)
        self.parts = self.plan.make_parts(self.setup, of_parts)
        for network in (self.model, *self.parts.values()):
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.autocast_dtype = autocast_dtype(config.precision)
        self.sides = self._make_sides(config)
        names = [f"loss/{side.name}" for side in self.sides]
        names += [f"raw/{term}" for term in self.plan.terms]
        names += [f"weighted/{term}" for term in self.plan.terms]
        if self.plan.latent == "posterior":
            names += [f"kl/{j}" for j in range(config.latents)]
        self.tracker = Tracker(names, self.device)

    def update(self, batch: Batch, global_step: int) -> None:
        """One optimiser step of every player on one batch."""
        streams = Streams(self.seed, global_step, self.device)
        step = self.plan.forward(
            Inputs(self.model, self.parts, batch, streams, global_step, self.dataset_size)
        )
        losses: dict[str, Tensor] = {}
        for side in self.sides:
            if side.player is not None and side.player.eager:
                losses[side.name] = side.player.loss(step)
                _set_gradients(losses[side.name], side.parameters, retain=True)
                side.optimizer.step()
        total, raw, weighted = self.plan.losses(step)
        together = [s for s in self.sides if s.player is None or not s.player.eager]
        for side in together:
            losses[side.name] = total if side.player is None else side.player.loss(step)
        for index, side in enumerate(together):
            more = index + 1 < len(together)
            _set_gradients(losses[side.name], side.parameters, retain=more)
        for side in together:
            side.optimizer.step()
        with torch.no_grad():
            scalars = [losses[s.name] for s in self.sides] + [*raw.values(), *weighted.values()]
            values = [torch.stack([scalar.float() for scalar in scalars])]
            if isinstance(step.posterior, DiagonalGaussian):
                values.append(step.posterior.kl().mean(0))
            self.tracker.add(torch.cat(values), global_step)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that a checkpoint holds, by name."""
        state: dict[str, Tensor] = dict(self.weights())
        for side in self.sides:
            for index, parameter in enumerate(side.parameters):
                for key, value in side.optimizer.state[parameter].items():
                    state[f"optimizer/{side.name}/{index}/{key}"] = torch.as_tensor(value)
        state["tracker/sums"] = self.tracker.sums
        state["tracker/count"] = torch.tensor(self.tracker.count)
        return state

    def weights(self) -> dict[str, Tensor]:
        """Weights of the model and of its parts, by name."""
        state = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        for part, network in self.parts.items():
            state |= {f"part/{part}/{name}": v for name, v in network.state_dict().items()}
        return state

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from the tensors of a checkpoint.

        Raises:
            KeyError: A tensor is missing.
        """
        for name, value in self.weights().items():
            value.copy_(state[name])
        for side in self.sides:
            for index, parameter in enumerate(side.parameters):
                prefix = f"optimizer/{side.name}/{index}/"
                saved = {
                    k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)
                }
                side.optimizer.state[parameter] = {
                    key: torch.empty_like(parameter).copy_(v)
                    if v.shape == parameter.shape and v.dim() > 0
                    else v.clone().to(self.device)
                    for key, v in saved.items()
                }
        self.tracker.sums.copy_(state["tracker/sums"])
        self.tracker.count = int(state["tracker/count"])

    def _make_sides(self, config: TrainConfig) -> list[_Side]:
        players = self.plan.players
        owned = {part for player in players for part in player.parts}
        mine = [*self.model.parameters()]
        mine += [p for n, part in self.parts.items() if n not in owned for p in part.parameters()]
        sides = [_Side("model", None, mine, config.optimizer.make(mine))]
        for player in players:
            parameters = [p for name in player.parts for p in self.parts[name].parameters()]
            settings = player.optimizer
            adam = torch.optim.Adam(
                parameters, lr=settings.lr, betas=(settings.beta1, settings.beta2), fused=True
            )
            sides.append(_Side(player.name, player, parameters, adam))
        return sides


def _set_gradients(loss: Tensor, parameters: list[nn.Parameter], *, retain: bool) -> None:
    """Gradients of a loss for the parameters that its player owns, and for no others."""
    gradients = torch.autograd.grad(loss, parameters, retain_graph=retain, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
