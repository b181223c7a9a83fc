"""A model, its parts and its players, and how one batch changes them."""

from __future__ import annotations

__all__ = ["Learner"]

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian
from unweave.objectives import Batch, Inputs
from unweave.randomness import Streams, derive
from unweave.training.average import Average
from unweave.training.checkpoint import AVERAGE
from unweave.training.config import TrainConfig
from unweave.training.pace import Pace
from unweave.training.precision import autocast_dtype
from unweave.training.side import Clipping, Side
from unweave.training.tracker import Tracker, logged_names


@final
class Learner:
    """Everything with weights in a run, on its device.

    Attributes:
        model: The VAE.
        parts: Further networks, by name.
        plan: The objective, expanded.
        setup: What the objective was told before there were weights.
        tracker: Running means of losses and terms.
        lr: The model's learning rate in the last step.
        average: The running mean of all weights, where the configuration asks for one.
    """

    def __init__(
        self, config: TrainConfig, image_shape: tuple[int, int, int], images: int
    ) -> None:
        """Build and initialise the networks of a resolved configuration.

        Args:
            config: With device, threads and precision fixed.
            image_shape: (H, W, C).
            images: Number of images trained on.

        Raises:
            SpecError: No weight of the model can be trained.
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
        self.tracker = Tracker(logged_names(self.plan, config.latents), self.device)
        self.sides = self._make_sides(config)
        self.lr = self.sides[0].lr
        self.average = None if config.ema is None else Average(config.ema, self.weights())

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
                side.set_gradients(losses[side.name], retain=True)
                side.step()
        total, raw, weighted = self.plan.losses(step)
        together = [s for s in self.sides if s.player is None or not s.player.eager]
        for side in together:
            losses[side.name] = total if side.player is None else side.player.loss(step)
        for index, side in enumerate(together):
            more = index + 1 < len(together)
            side.set_gradients(losses[side.name], retain=more)
        for side in together:
            side.step()
        with torch.no_grad():
            scalars = [losses[s.name] for s in self.sides] + [*raw.values(), *weighted.values()]
            scalars += self.plan.watch(step)
            values = [torch.stack([scalar.float() for scalar in scalars])]
            if isinstance(step.posterior, DiagonalGaussian):
                values.append(step.posterior.kl().mean(0))
            logged = torch.cat(values)
            self.tracker.add(logged, global_step)
        if self.average is not None:
            self.average.after(global_step)
        self.lr = self.sides[0].lr
        for side in self.sides:
            if side.pace is not None:
                side.pace.after(logged, global_step)

    def hear(self, scores: Mapping[str, float]) -> None:
        """Take scores of the weights so far, by name: a learning rate may go by them."""
        for side in self.sides:
            for name, value in scores.items():
                if side.pace is not None:
                    side.pace.hear(f"scores/{name}", value)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that a checkpoint holds, by name."""
        state: dict[str, Tensor] = dict(self.weights())
        for side in self.sides:
            state |= side.tensors()
        if self.average is not None:
            state |= {f"{AVERAGE}{name}": v for name, v in self.average.tensors.items()}
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
            side.restore(state)
        if self.average is not None:
            for name, value in self.average.tensors.items():
                value.copy_(state[f"{AVERAGE}{name}"])
        self.tracker.sums.copy_(state["tracker/sums"])
        self.tracker.count = int(state["tracker/count"])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Have the weights that are scored in their place, inside the block.

        They are the running mean where there is one, and else the trained ones.
        """
        if self.average is None:
            yield
            return
        with self.average.in_place():
            yield

    def _make_sides(self, config: TrainConfig) -> list[Side]:
        players = self.plan.players
        clipping = Clipping(config.clip_value, config.clip_norm)
        owned = {part for player in players for part in player.parts}
        mine = _trained(self.model)
        if not mine:
            raise SpecError(
                f"train: no weight of {config.architecture} can be trained: all have "
                f"requires_grad=False. Leave some of them as they are made."
            )
        for name, part in self.parts.items():
            mine += _trained(part) if name not in owned else []
        optimizer = config.optimizer.make(mine)
        rate = config.optimizer.rate
        pace = None
        if rate is not None:
            pace = Pace(
                rate,
                optimizer,
                self.tracker.names,
                images=self.dataset_size,
                batch_size=config.batch_size,
                device=self.device,
            )
        sides = [Side("model", None, mine, optimizer, clipping, pace)]
        for player in players:
            parameters = [p for name in player.parts for p in _trained(self.parts[name])]
            settings = player.optimizer
            adam = torch.optim.Adam(
                parameters, lr=settings.lr, betas=(settings.beta1, settings.beta2), fused=True
            )
            sides.append(Side(player.name, player, parameters, adam, clipping))
        return sides


def _trained(network: nn.Module) -> list[nn.Parameter]:
    """Its parameters but for those that the user has frozen, which no optimiser may know."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
