"""The further networks of an objective, with the weights that a checkpoint has for them."""

from __future__ import annotations

__all__ = ["load_parts"]

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from unweave.errors import RunError
from unweave.objectives import Objective, Setup


def load_parts(
    objective: Objective, setup: Setup, tensors: Mapping[str, Tensor], device: torch.device
) -> dict[str, nn.Module]:
    """Networks in float32 and evaluation mode, by name.

    Args:
        objective: What was minimised.
        setup: What it was told before there were weights.
        tensors: Tensors of a checkpoint, those of a part named `part/<part>/...`.
        device: Where the networks go.

    Returns:
        The parts that the checkpoint has weights for, and those without weights; what was imported
        from elsewhere may be the model alone.

    Raises:
        RunError: The weights of a part do not fit it.
    """
    made = objective.expand().make_parts(setup, torch.Generator())
    parts: dict[str, nn.Module] = {}
    for name, network in made.items():
        prefix = f"part/{name}/"
        state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if not state and network.state_dict():
            continue
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise RunError(
                f"The weights of the {name} in the checkpoint do not fit {objective}: {reason}"
            ) from error
        parts[name] = network.to(device).eval()
    return parts
