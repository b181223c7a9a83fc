"""The 26 models that disentangling-vae has published, known by their checksums."""

from __future__ import annotations

__all__ = ["published_name"]

_PREFIXES = {
    "d59cf869": "VAE_dsprites",
    "44ba28f8": "betaH_dsprites",
    "3e00b3aa": "betaB_dsprites",
    "363af41c": "factor_dsprites",
    "ea86d65d": "btcvae_dsprites",
    "f5f21d80": "btcvae_dsprites_a-5",
    "ab605a29": "btcvae_dsprites_a0",
    "091df99b": "btcvae_dsprites_a5",
    "8ea62efb": "VAE_mnist",
    "2fb877b4": "betaH_mnist",
    "d227ed58": "betaB_mnist",
    "19e8c3c5": "factor_mnist",
    "c4d8c308": "btcvae_mnist",
    "f31db6de": "VAE_chairs",
    "1a9aef4d": "betaH_chairs",
    "faa1dbfb": "betaB_chairs",
    "c2f86ea9": "factor_chairs",
    "eb1e4cee": "btcvae_chairs",
    "a9e1e6cd": "VAE_celeba",
    "39f29f54": "betaH_celeba",
    "6218609f": "betaB_celeba",
    "6baabb72": "factor_celeba",
    "61c1e59f": "btcvae_celeba",
    "68022cd2": "btcvae_celeba_a-5",
    "b44fbdf6": "btcvae_celeba_a0",
    "ce3c246f": "btcvae_celeba_a5",
}


def published_name(sha256: str) -> str | None:
    """Name of the published model whose file has this checksum, or None.

    The first eight of its digits are compared: enough to tell the published files from others,
    and not enough to prove that a file has not been forged.

    Example:
        >>> published_name("d59cf8691ecf38e99784beabfd664c92543bec2232135da8dda07b7d8fb69154")
        'VAE_dsprites'
    """
    return _PREFIXES.get(sha256[:8])
