"""Facts about datasets, without their images."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest

from reference.members import shipped
from reference.small_archives import SMALL_ARCHIVES
from unweave.data import DatasetSpec, catalog, load_dataset, parse_dataset, with_file
from unweave.data.listing import describe, kinds, sketch
from unweave.data.samplers import Sampler
from unweave.errors import DataError
from unweave.spec import parse


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))


@pytest.mark.parametrize("spec", catalog(), ids=str)
def test_every_dataset_is_described(spec):
    facts = describe(spec)
    assert json.loads(json.dumps(facts)) == facts
    assert facts["about"].endswith(".")
    assert "`" not in facts["about"] + (facts["origin"] or "")
    # Only what unweave made up has no source.
    assert facts["origin"] or spec.name == "sprites"
    words = shlex.split(facts["get"]["command"])
    assert words[:3] == ["unweave", "data", "prepare"]
    assert parse_dataset(words[3]) == spec
    if spec.source == "archive":
        assert facts["get"]["how"] in ("download", "by hand")
        assert facts["get"]["page"].startswith("http")
        assert ("--from" in words) == (facts["get"]["how"] == "by hand")
        assert with_file(words[3], "some/place").path == "some/place"
    else:
        assert facts["get"]["how"] == "rendered"


@pytest.mark.parametrize(
    "text",
    ["dsprites(grid=(3, 2, 2, 4, 4))", "shapes3d(grid=(2, 2, 2, 2, 4, 2))", "sprites(images=90)"],
)
def test_bytes_are_those_on_disk(text):
    data = load_dataset(text)
    path = data.spec.folder() / "images.bin"
    assert describe(data.spec)["stored_bytes"] == path.stat().st_size
    # What is made of it needs the same and no more.
    view = parse_dataset(f"subset(data={text}, images=50)")
    assert describe(view)["stored_bytes"] == path.stat().st_size


def test_a_view_comes_as_its_base_does():
    facts = describe(parse_dataset('only(data=dsprites(source=archive), where="pos_x < 0.5")'))
    assert facts["get"]["how"] == "download"
    assert facts["get"]["command"] == (
        "unweave data prepare \"only(data=dsprites(source=archive), where='pos_x < 0.5')\""
    )


def test_a_view_of_files_that_are_there_names_their_dataset(tmp_path, monkeypatch):
    text = SMALL_ARCHIVES["celeba"](tmp_path, monkeypatch)
    load_dataset(text)
    view = describe(parse_dataset(f"subset(data={text}, images=5)"))
    assert (view["get"]["how"], view["ready"], view["images"]) == ("by hand", True, 5)
    words = shlex.split(view["get"]["command"])
    assert words == ["unweave", "data", "prepare", str(parse_dataset(text))]


def test_what_depends_on_images_that_are_not_there_is_refused(empty_home):
    with pytest.raises(DataError, match="not there yet"):
        describe(parse_dataset("subset(data=celeba, images=5)"))


def test_every_member_that_is_no_dataset_by_itself_has_an_example():
    ours = shipped(DatasetSpec, Sampler)
    found = {kind: [row for row in rows if row["name"] in ours] for kind, rows in kinds().items()}
    samplers = set(shipped(Sampler))
    unlisted = {name for name in set(ours) - samplers if not ours[name].listed}
    assert {row["name"] for row in found["views"] + found["own"]} == unlisted
    assert {row["name"] for row in found["samplers"]} == samplers
    for kind, family in (("views", DatasetSpec), ("own", DatasetSpec), ("samplers", Sampler)):
        for row in found[kind]:
            example = row["example"].replace("'...'", "'x'")
            assert parse(example, family).name == row["name"]
            assert row["about"]


@pytest.mark.parametrize(
    "spec", [spec for spec in catalog() if spec.source == "rendered"], ids=str
)
def test_sketches_are_small_and_like_the_whole(spec, empty_home):
    small = sketch(spec)
    assert type(small) is type(spec)
    assert small.image_shape == spec.image_shape
    assert small.factor_space.names == spec.factor_space.names
    if spec.ready():
        assert small == spec
    else:
        assert small.count <= 10_000
        # Nothing is left of a factor with one value.
        assert min(small.factor_space.sizes) > 1
        assert describe(small)["stored_bytes"] < 60e6


def test_what_is_ready_is_shown_whole(empty_home):
    text = "dsprites(grid=(3, 6, 10, 10, 10))"
    assert sketch(parse_dataset(text)) != parse_dataset(text)
    load_dataset(text)
    assert sketch(parse_dataset(text)) == parse_dataset(text)
    view = parse_dataset(f"color_dsprites(data={text})")
    assert sketch(view) == view
    assert np.prod(view.factor_space.sizes) > 10_000
