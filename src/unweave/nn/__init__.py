"""Networks by their published names."""

from unweave.nn.architecture import Architecture
from unweave.nn.burgess import Burgess
from unweave.nn.conditions import Conditions, LabelEncoding, LabelPlanes
from unweave.nn.discriminator import LatentDiscriminator
from unweave.nn.initialise import initialise

__all__ = [
    "Architecture",
    "Burgess",
    "Conditions",
    "LabelEncoding",
    "LabelPlanes",
    "LatentDiscriminator",
    "initialise",
]
