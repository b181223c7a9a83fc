"""Probes that are trained once and kept for every run on the dataset."""

from __future__ import annotations

__all__ = ["cached_probe"]

import dataclasses
import hashlib
import json
import logging
from pathlib import Path
from typing import Final

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from unweave.analysis.probe.network import Probe
from unweave.analysis.probe.training import ProbeTraining, train_probe
from unweave.data import Dataset
from unweave.progress import Progress
from unweave.rundir import alone, atomic_write, explain_os_error, home

_LOG = logging.getLogger(__name__)

# Raised when the same training leaves other weights than before.
_REVISION: Final = 2


def cached_probe(
    dataset: Dataset,
    training: ProbeTraining,
    device: torch.device,
    progress: Progress | None = None,
) -> Probe:
    """The probe of a dataset's factors, in evaluation mode; trained when there is none yet.

    It lies in `probes/` of the folder of caches (`UNWEAVE_HOME`), under a name that stands for
    images, factors and training. One process trains it while others wait. A file that is damaged
    is replaced.

    Args:
        dataset: The images, whole, with their factors.
        training: How it is trained.
        device: Where it goes.
        progress: Told of the training.

    Raises:
        DataError: The factors are not known.
        UnweaveError: The folder cannot be written, or the training failed.
    """
    place = _place(dataset, training)
    found = _read(place, dataset, device)
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, place) from error

    waited = False

    def wait(done: int = 0) -> None:
        nonlocal waited
        waited = True
        if progress is not None:
            progress("waiting for a probe that another process trains", done, 1)

    with alone(place.with_name(f".{place.stem}.lock"), wait):
        if waited:
            wait(1)
        found = _read(place, dataset, device)
        if found is None:
            _LOG.info(
                "Training a probe of the factors of %s, to be kept in %s.", dataset.spec, place
            )
            found = train_probe(dataset, training, device, progress)
            _write(place, found)
    return found


def _place(dataset: Dataset, training: ProbeTraining) -> Path:
    """Where the probe lies, or will."""
    key = json.dumps(
        {
            "revision": _REVISION,
            "images": dataset.store.fingerprint(),
            "factors": dataset.factor_space.to_list(),
            "training": dataclasses.asdict(training),
        },
        sort_keys=True,
    )
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return home() / "probes" / f"{dataset.spec.name}-{digest}.safetensors"


def _write(place: Path, probe: Probe) -> None:
    state = {name: tensor.cpu().contiguous() for name, tensor in probe.state_dict().items()}
    data = safetensors.torch.save(state, metadata={"sha256": _sha256(state)})
    with atomic_write(place) as handle:
        handle.write(data)


def _read(place: Path, dataset: Dataset, device: torch.device) -> Probe | None:
    """The probe, or None where there is none or it is damaged."""
    if not place.is_file():
        return None
    try:
        with safetensors.safe_open(place, framework="pt") as handle:
            header = handle.metadata() or {}
            state = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        if header.get("sha256") != _sha256(state):
            raise ValueError("the weights do not match their checksum")
        with torch.device("meta"):
            probe = Probe(dataset.image_shape, dataset.factor_space.sizes)
        probe.load_state_dict(state, assign=True)
    except (safetensors.SafetensorError, RuntimeError, TypeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        _LOG.warning("%s is damaged, so that probe is trained anew: %s.", place, reason)
        return None
    probe.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return probe.eval().requires_grad_(False)


def _sha256(state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
