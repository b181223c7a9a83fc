"""Networks by their published names, and those of the user's own."""

from unweave.nn.architecture import Architecture
from unweave.nn.burgess import Burgess
from unweave.nn.conditions import Conditions, LabelEncoding, LabelPlanes, LabelPredictor
from unweave.nn.conv64 import PadlessConv64, SimpleConv64
from unweave.nn.decoders import (
    DecoderBurgess,
    DecoderDeep,
    DecoderDeepBN,
    DecoderHiggins,
    DecoderKim,
    DecoderKimBN,
)
from unweave.nn.discriminator import LatentDiscriminator
from unweave.nn.five_convolutions import Abdi, Montero
from unweave.nn.higgins import BetaShapes, Higgins
from unweave.nn.initialise import initialise
from unweave.nn.kim import BetaCeleb, BurgessV2, Kim, Mathieu
from unweave.nn.lie_group import LieGroup
from unweave.nn.linear import DeepLinear, ShallowLinear
from unweave.nn.locatello import Locatello, LocatelloMLP
from unweave.nn.mpcnn import Mpcnn
from unweave.nn.own import Own, own_architecture
from unweave.nn.pair import Pair
from unweave.nn.pbt_vae import PbtVae

__all__ = [
    "Abdi",
    "Architecture",
    "BetaCeleb",
    "BetaShapes",
    "Burgess",
    "BurgessV2",
    "Conditions",
    "DecoderBurgess",
    "DecoderDeep",
    "DecoderDeepBN",
    "DecoderHiggins",
    "DecoderKim",
    "DecoderKimBN",
    "DeepLinear",
    "Higgins",
    "Kim",
    "LabelEncoding",
    "LabelPlanes",
    "LabelPredictor",
    "LatentDiscriminator",
    "LieGroup",
    "Locatello",
    "LocatelloMLP",
    "Mathieu",
    "Montero",
    "Mpcnn",
    "Own",
    "PadlessConv64",
    "Pair",
    "PbtVae",
    "ShallowLinear",
    "SimpleConv64",
    "initialise",
    "own_architecture",
]
