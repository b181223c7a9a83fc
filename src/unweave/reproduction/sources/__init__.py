"""Published numbers, a source a file."""

from unweave.reproduction.sources.clg import CLG
from unweave.reproduction.sources.dag import DAG
from unweave.reproduction.sources.disvae import DISVAE
from unweave.reproduction.sources.dlib import DLIB
from unweave.reproduction.sources.dpt import DPT
from unweave.reproduction.sources.others import LATER, RPU

__all__ = ["CLG", "DAG", "DISVAE", "DLIB", "DPT", "LATER", "RPU"]
