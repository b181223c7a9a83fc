"""The logs of disentangling-vae's published models."""

from __future__ import annotations

__all__ = ["DISVAE"]

from collections.abc import Iterator
from typing import Final

from unweave.reproduction.published import LeftOut, PublishedValue, Row, Source

_LOG: Final = "test_losses.log"

# Of each model: loss, reconstruction and KL, and of beta-TCVAE mutual information, total
# correlation and dimension-wise KL. Nats an image: the log times its number of batches, which is
# 738 of dSprites, 60 of MNIST, 87 of 3D Chairs and 203 of CelebA. The first number of FactorVAE is
# left out.
_LOGS: Final = {
    "VAE_dsprites": "26.8387 4.0519 22.7868",
    "betaH_dsprites": "67.5222 14.3515 13.2927",
    "betaB_dsprites": "37.9117 34.2052 25.0371",
    "factor_dsprites": "- 20.2883 20.1755",
    "btcvae_dsprites": "-287.5181 25.1998 11.3796 69.0832 -60.4813 5.2791",
    "btcvae_dsprites_a-5": "-711.4485 11.9787 12.9587 69.1098 -60.0482 6.4302",
    "btcvae_dsprites_a0": "-352.4854 18.9227 12.3700 69.0782 -58.7453 4.5621",
    "btcvae_dsprites_a5": "-5.9613 37.6240 9.7407 68.9549 -61.4655 5.0189",
    "VAE_mnist": "131.0253 111.9094 19.1159",
    "betaH_mnist": "164.1315 122.0432 10.5221",
    "betaB_mnist": "170.4421 168.6782 24.9824",
    "factor_mnist": "- 114.0549 18.3841",
    "btcvae_mnist": "-146.0628 128.7580 9.2092 68.9295 -57.4114 0.7181",
    "VAE_chairs": "210.8712 191.5409 19.3303",
    "betaH_chairs": "244.1758 205.2308 9.7362",
    "betaB_chairs": "238.4941 235.0929 24.9660",
    "factor_chairs": "- 206.4162 18.0257",
    "btcvae_chairs": "98.0610 200.9678 12.0206 68.8818 -53.9229 0.7646",
    "VAE_celeba": "6540.5132 6509.2563 31.2570",
    "betaH_celeba": "6677.8384 6507.5112 17.0327",
    "betaB_celeba": "6549.2568 6532.5205 50.1674",
    "factor_celeba": "- 6535.8926 29.8838",
    "btcvae_celeba": "6291.4673 6505.3301 20.5533 69.1207 -44.3123 0.6154",
    "btcvae_celeba_a-5": "5879.8018 6506.7583 20.8266 69.1207 -44.0612 0.6387",
    "btcvae_celeba_a0": "6225.1509 6507.5845 20.6818 69.1207 -44.2344 0.6661",
    "btcvae_celeba_a5": "6582.7324 6519.1143 21.2750 69.1207 -44.2638 1.3030",
}
_PARTS: Final = ("loss", "recon", "kl", "mi", "tc", "dw_kl")


def _rows() -> Iterator[Row]:
    for name, numbers in _LOGS.items():
        yield Row(
            name=f"disvae/{name}",
            values=tuple(
                PublishedValue(
                    value=float(number),
                    metric="test_losses",
                    part=part,
                    protocol="disvae",
                    printed=_LOG,
                    digits=2,
                )
                for part, number in zip(_PARTS, numbers.split(), strict=False)
                if number != "-"
            ),
        )


DISVAE: Final = Source(
    name="disvae",
    title="disentangling-vae",
    citation="Dubois, Kastanos, Lines and Melman (2019), public code",
    printed={
        _LOG: "results/NAME/test_losses.log of https://github.com/YannDubs/disentangling-vae, "
        "times the number of batches of the dataset",
    },
    rows=tuple(_rows()),
    doubts=(
        "Numbers are those of the first 1,000 images in file order (FactorVAE: 500), which are "
        "all the smallest square of dSprites, and not of the whole dataset: small changes of a "
        "model move them far.",
        "Of beta-TCVAE `mi`, `tc` and `loss` have a published defect, which the protocol "
        "`disvae` repeats.",
        "Which images of CelebA come first there depends on how its folder is listed.",
    ),
    left_out=(
        LeftOut(
            what="`tc` and `loss` of FactorVAE",
            why="they are of a discriminator that was never trained",
        ),
        LeftOut(
            what="averages of the training logs",
            why="they are of single batches in the course of a training; those of the first "
            "epoch are compared in benchmarks/results/first_epochs.md of unweave",
        ),
        LeftOut(
            what="`best_celeba`, other weights of the mutual information, Fashion-MNIST",
            why="there are pictures at most, and no logs",
        ),
    ),
)
"""Its published numbers, and the runs that repeat them."""
