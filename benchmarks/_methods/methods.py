"""Which methods are trained, and what each of them is made to change."""

from __future__ import annotations

__all__ = ["CONDITIONAL", "DATA", "METHODS", "PLAIN", "SEEDS", "STEPS", "Method", "study"]

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from unweave.studies import ScoreRequest, Study

DATA: Final = "dsprites(grid=(3, 6, 1, 32, 32))"
STEPS: Final = 5000
SEEDS: Final = (1, 2, 3)

Signature: TypeAlias = Literal["total correlation", "covariance", "discrepancy", "products", "mig"]


@final
@dataclass(frozen=True)
class Method:
    """A method, and what it is compared with.

    Attributes:
        objective: Its text.
        signature: What it is made to change.
        plain: Text of the plain model with the same networks.
        architecture: Its networks.
    """

    objective: str
    signature: Signature
    plain: str = "vae"
    architecture: str = "burgess"


_LIE: Final = "lie_group"

PLAIN: Final = (("vae", "burgess"), ("autoencoder", "burgess"), ("vae", _LIE))

METHODS: Final = (
    Method("beta_tcvae(beta=6)", "total correlation"),
    Method("factor_vae(gamma=30)", "total correlation"),
    Method("dip_vae_i", "covariance"),
    Method("dip_vae_ii", "covariance"),
    Method("info_vae", "discrepancy"),
    Method("wae_mmd", "discrepancy", plain="autoencoder"),
    Method("lie_group_vae", "products", architecture=_LIE),
    Method("ada_gvae", "mig"),
    Method("ada_mlvae", "mig"),
    Method("group_vae_labels", "mig"),
    Method("mlvae_labels", "mig"),
    Method("slow_vae", "mig"),
    Method("s2_vae", "mig"),
    Method("s2_factor_vae", "mig"),
    Method("s2_dip_vae", "mig"),
    Method("s2_beta_tcvae", "mig"),
    Method("fully_supervised", "mig"),
)

CONDITIONAL: Final = ("cvae", "ifcvae")


def study(data: str, steps: int, seeds: tuple[int, ...]) -> Study:
    """Every method and plain model with every seed."""
    pairs = dict.fromkeys(
        [
            *PLAIN,
            *((method.objective, method.architecture) for method in METHODS),
            *((objective, "burgess") for objective in CONDITIONAL),
        ]
    )
    models = tuple({"objective": text, "architecture": network} for text, network in pairs)
    return Study(
        name="methods",
        about="Each method beside a plain VAE of the same budget.",
        settings={"dataset": data, "steps": steps, "batch_size": 64, "latents": 10, "lr": 5e-4},
        axes=(models, tuple({"seed": seed} for seed in seeds)),
        scores=(ScoreRequest(metrics=("mig",)),),
        keep="all",
    )
