"""Each model's images stand below the originals, unchanged, in their groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from plots.rendered import find, pixels
from unweave.plots import held_out_reconstructions
from unweave.plots.style import BLUE, MARK

TITLE = " ".join(["A title of many words"] * 6)
REGIONS = {"in distribution": 2, "held out": 1}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def words(figure):
    return [text for text in (*figure.axes[0].texts, *figure.texts) if text.get_text()]


@pytest.mark.parametrize("channels", [1, 3])
def test_columns_are_images_and_rows_are_models(channels):
    stack = noise(3, 6, 16, 16, channels)
    figure = held_out_reconstructions(
        stack[0], stack[1:], ["VAE", "β-VAE"], {"range": REGIONS, "extrapolation": REGIONS}
    )
    picture = pixels(figure)
    places = np.array([[find(picture, image) for image in row] for row in stack])
    scale = places[0, 0, 2]
    assert (places[..., 2] == scale).all()
    assert (places[:, :, 0] == places[:, :1, 0]).all()
    assert (places[:, :, 1] == places[:1, :, 1]).all()
    assert np.diff(places[:, 0, 0]).tolist() == [18 * scale] * 2
    steps = np.diff(places[0, :, 1])
    # Within a group tiles are two pixels apart, and groups are further apart.
    assert steps[0] == steps[3] == 18 * scale
    assert steps[1] == steps[2] == steps[4] > 20 * scale


def test_each_row_label_is_level_with_its_row():
    stack = noise(3, 3, 16, 16, 1)
    figure = held_out_reconstructions(stack[0], stack[1:], ["VAE", "β-VAE"], {"range": REGIONS})
    picture = pixels(figure)
    labels = words(figure)[:3]
    assert [text.get_text() for text in labels] == ["original", "VAE", "β-VAE"]
    for text, images in zip(labels, stack, strict=True):
        row, column, scale = find(picture, images[0])
        box = text.get_window_extent()
        assert abs(picture.shape[0] - (box.y0 + box.y1) / 2 - (row + 8 * scale)) < 2 * scale
        assert 0 < box.x0 < box.x1 < column


def test_headings_stand_over_their_groups():
    stack = noise(2, 6, 16, 16, 3)
    figure = held_out_reconstructions(
        stack[0],
        stack[1:],
        ["VAE"],
        {"range": REGIONS, "extrapolation": REGIONS},
        title="dSprites",
    )
    picture = pixels(figure)
    columns = [find(picture, image)[1] for image in stack[0]]
    top, _, scale = find(picture, stack[0, 0])
    found = [(text.get_text(), text.get_window_extent()) for text in words(figure)[2:]]
    places = [("in distribution", 0), ("range", 0), ("held out", 2)]
    places += [("in distribution", 3), ("extrapolation", 3), ("held out", 5)]
    assert [text for text, _ in found] == [*(text for text, _ in places), "dSprites"]
    for (_, box), (_, column) in zip(found, places, strict=False):
        assert abs(box.x0 - columns[column]) < 4
        assert box.y0 > picture.shape[0] - top
    # Names of conditions stand above those of regions.
    assert found[1][1].y0 > found[0][1].y1 > found[0][1].y0
    rules = [line for line in figure.axes[0].lines if line.get_color() in (BLUE, MARK)]
    assert [line.get_color() for line in rules] == [BLUE, MARK] * 2
    for rule, (first, last) in zip(rules, ((0, 1), (2, 2), (3, 4), (5, 5)), strict=True):
        ends = figure.axes[0].transData.transform(np.stack(rule.get_data(), axis=1))[:, 0]
        assert ends == pytest.approx([columns[first], columns[last] + 16 * scale], abs=2)


def test_conditions_go_on_below_where_words_would_be_cut():
    groups = {f"kind {k}": {"in distribution": 1, "held out": 1} for k in range(8)}
    images = noise(16, 16, 16, 1)
    figure = held_out_reconstructions(images, [images], ["VAE"], groups)
    labels = [text.get_text().replace("\n", " ") for text in words(figure)]
    assert labels.count("original") == 2
    assert labels.count("in distribution") == labels.count("held out") == 8
    # Where no row is short enough, they are cut.
    groups = {"kind": {f"region_of_a_long_name_{k}": 1 for k in range(8)}}
    figure = held_out_reconstructions(images[:8], [images[:8]], ["VAE"], groups)
    assert sum(text.get_text().endswith("…") for text in words(figure)) == 8


def test_conditions_go_on_below_where_tiles_would_be_small():
    groups = {f"condition {k}": {"in distribution": 6, "held out": 6} for k in range(3)}
    stack = noise(2, 36, 16, 16, 1)
    figure = held_out_reconstructions(stack[0], stack[1:], ["VAE"], groups)
    picture = pixels(figure)
    places = [find(picture, stack[0, k]) for k in (0, 12, 24)]
    assert places[0][1] == places[1][1] == places[2][1]
    assert places[0][0] < places[1][0] < places[2][0]
    labels = [text.get_text() for text in words(figure)]
    assert labels.count("original") == labels.count("VAE") == 3
    assert [label for label in labels if label.startswith("condition")] == [*groups]


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize(
    "groups",
    [
        {"": {"in distribution": 1, "held out": 1}},
        {"a condition with a long name": {"in distribution": 1, "held out": 1}},
        {f"recombination {k}": {"in distribution": 1, "held out": 1} for k in range(3)},
        {f"recombination {k}": {"in distribution": 3, "held out": 3} for k in range(3)},
        {f"recombination {k}": {"in distribution": 1, "held out": 1} for k in range(9)},
        {f"recombination {k}": {"in distribution": 15, "held out": 15} for k in range(2)},
    ],
)
def test_words_do_not_overlap(groups, side):
    count = sum(sum(of.values()) for of in groups.values())
    images = np.zeros((count, side, side, 1), np.uint8)
    names = ["VAE", "a model with a long name of three words", "ground-truth decoder"]
    figure = held_out_reconstructions(images, [images] * 3, names, groups, title=TITLE)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in words(figure)]
    # Letters reach less far than lines of text do.
    boxes = [box.from_extents(box.x0 + 1, box.y0 + 2, box.x1 - 1, box.y1 - 2) for box in boxes]
    assert len(boxes) >= 4 + 2 + 1
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert figure.get_figwidth() <= 8.05


def test_what_does_not_fit_is_refused():
    images = noise(3, 8, 8, 1)
    with pytest.raises(ValueError, match="at least one; got 0"):
        held_out_reconstructions(images, [], [], {"a": REGIONS})
    with pytest.raises(ValueError, match="by_model must be one for each of 1 names"):
        held_out_reconstructions(images, [images, images], ["VAE"], {"a": REGIONS})
    with pytest.raises(ValueError, match="images of 'VAE' must have the shape of the originals"):
        held_out_reconstructions(images, [images[:2]], ["VAE"], {"a": REGIONS})
    with pytest.raises(ValueError, match="originals must be a uint8 array"):
        held_out_reconstructions(images / 255, [images], ["VAE"], {"a": REGIONS})
    for groups in (
        {},
        {"a": {}},
        {"a": {"held out": 3}, "b": {}},
        {"a": {"held out": 2}},
        {"a": {"b": 3, "c": 0}},
    ):
        with pytest.raises(ValueError, match="groups must name each of 3 images"):
            held_out_reconstructions(images, [images], ["VAE"], groups)
