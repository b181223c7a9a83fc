"""A network that tells factors from images, trained on true images and then left as it is."""

from unweave.analysis.probe.alike import RIGHT, Alike
from unweave.analysis.probe.cache import cached_probe
from unweave.analysis.probe.network import Probe
from unweave.analysis.probe.training import ProbeTraining, train_probe

__all__ = [
    "RIGHT",
    "Alike",
    "Probe",
    "ProbeTraining",
    "cached_probe",
    "train_probe",
]
