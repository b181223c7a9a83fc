"""Datasets: what they are, where their images lie, and which images a batch has."""

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.batches import Batches
from unweave.data.catalog import catalog, load_dataset, parse_dataset, with_file
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.kinds.drawn import Drawn, DrawnSpec
from unweave.data.kinds.stored import StoredSpec
from unweave.data.labels import Labels
from unweave.data.own.arrays import Arrays, H5Arrays
from unweave.data.own.folder import Folder
from unweave.data.own.hub import HuggingFace
from unweave.data.own.python import from_arrays, from_function, from_torch
from unweave.data.own.stored import StoredImages
from unweave.data.pixels.composed import Composed
from unweave.data.pixels.images import Images, Selected
from unweave.data.pixels.layered import Layered
from unweave.data.pixels.store import Store
from unweave.data.sets.cars3d import Cars3D
from unweave.data.sets.celeba import CelebA
from unweave.data.sets.chairs3d import Chairs3D
from unweave.data.sets.dsprites import Dsprites
from unweave.data.sets.dsprites_noshape import DspritesNoshape
from unweave.data.sets.falcor3d import Falcor3D
from unweave.data.sets.isaac3d import Isaac3D
from unweave.data.sets.mnist import MNIST, FashionMNIST
from unweave.data.sets.mpi3d import MPI3D
from unweave.data.sets.overlaid_dsprites import ColorDsprites, NoisyDsprites, ScreamDsprites
from unweave.data.sets.placed_shapes import Circles, Simple, TwoShapes
from unweave.data.sets.shapes3d import Shapes3D
from unweave.data.sets.smallnorb import SmallNORB
from unweave.data.sets.sprites import Sprites
from unweave.data.sets.xyobject import XYObject
from unweave.data.sets.xysquares import XYSquares
from unweave.data.views import Correlated, Listed, Only, Subset, Without
from unweave.progress import Progress

__all__ = [
    "MNIST",
    "MPI3D",
    "ArchiveSpec",
    "Arrays",
    "Batches",
    "Cars3D",
    "CelebA",
    "Chairs3D",
    "Circles",
    "ColorDsprites",
    "Composed",
    "Correlated",
    "Dataset",
    "DatasetSpec",
    "DerivedSpec",
    "Drawn",
    "DrawnSpec",
    "Dsprites",
    "DspritesNoshape",
    "Falcor3D",
    "FashionMNIST",
    "Folder",
    "H5Arrays",
    "HuggingFace",
    "Images",
    "Isaac3D",
    "Labels",
    "Layered",
    "Listed",
    "NoisyDsprites",
    "Only",
    "Progress",
    "ScreamDsprites",
    "Selected",
    "Shapes3D",
    "Simple",
    "SmallNORB",
    "Sprites",
    "Store",
    "StoredImages",
    "StoredSpec",
    "Subset",
    "TwoShapes",
    "Without",
    "XYObject",
    "XYSquares",
    "catalog",
    "from_arrays",
    "from_function",
    "from_torch",
    "load_dataset",
    "parse_dataset",
    "with_file",
]
