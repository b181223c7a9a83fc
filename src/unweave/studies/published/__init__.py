"""Studies of papers and their code by name: which trainings they had, and how they scored them."""

from unweave.presets.dlib_numbers import DlibModel, model_num, model_of
from unweave.studies.published.base import PublishedStudy
from unweave.studies.published.catalog import published, published_studies, published_study
from unweave.studies.published.dlib import number_of
from unweave.studies.published.scaling import scaled
from unweave.studies.waiting import ready

__all__ = [
    "DlibModel",
    "PublishedStudy",
    "model_num",
    "model_of",
    "number_of",
    "published",
    "published_studies",
    "published_study",
    "ready",
    "scaled",
]
