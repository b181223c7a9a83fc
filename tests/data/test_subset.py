"""Subsets of more images than there are, which are refused before any work."""

import pytest

from reference.own_files import pictures, write_folder, write_table
from unweave.data import load_dataset, parse_dataset
from unweave.errors import SpecError


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("subset(data=sprites(images=10), images=11)", "but sprites.* has only 10"),
        ("subset(data=subset(data=sprites(images=10), images=5), images=6)", "has only 5"),
        ("subset(data=celeba, images=202600)", "but celeba has only 202,599"),
    ],
)
def test_numbers_that_a_text_says_are_compared_at_once(text, reason, home):
    with pytest.raises(SpecError, match=reason):
        parse_dataset(text)
    assert parse_dataset("subset(data=sprites(images=10), images=10)").count == 10
    assert not home.exists()


@pytest.mark.parametrize("factors", ["", ", factors='f.csv'"])
def test_own_images_are_counted_before_they_are_stored(tmp_path, home, factors):
    place = tmp_path / "photos"
    names = write_folder(place, pictures(6))
    write_table(place / "f.csv", ("file", "x"), [(name, i % 4) for i, name in enumerate(names)])
    own = f"folder(path={str(place)!r}, size=8{factors})"
    # A text alone says nothing of files.
    many = parse_dataset(f"subset(data={own}, images=7)")
    for refused in (many.check_loadable, many.open):
        with pytest.raises(SpecError, match=r"images is 7, but folder.* has only 6"):
            refused()
    assert not home.exists()
    inner = f"subset(data={own}, images=4)"
    assert len(load_dataset(f"subset(data={inner}, images=3)")) == 3
    with pytest.raises(SpecError, match="has only 4"):
        parse_dataset(f"subset(data={inner}, images=5)")
