"""The dataset that has all images of which another one is a part."""

from __future__ import annotations

import dataclasses

from unweave.data.base import DatasetSpec
from unweave.data.views.table import ViewSpec

__all__ = ["whole_of"]


def whole_of(spec: DatasetSpec) -> DatasetSpec:
    """A dataset without the parts and odds in it: all images, each as likely as any other.

    What changes the images themselves stays: the whole of a part of dSprites in colour is dSprites
    in colour. A smaller grid is a dataset of its own, and stays, too. The factors of the whole are
    `spec.whole_space`.

    Args:
        spec: A dataset, which may be a part, to any depth.
    """
    while isinstance(spec, ViewSpec):
        (spec,) = spec.bases
    inner = {
        field.name: whole_of(value)
        for field in dataclasses.fields(spec)
        if isinstance(value := getattr(spec, field.name), DatasetSpec)
    }
    return dataclasses.replace(spec, **inner) if inner else spec
