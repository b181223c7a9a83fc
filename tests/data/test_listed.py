"""Images that a file lists: which they are, how they nest, and files that are not as they were."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from reference.own_files import pictures
from unweave.data import Listed, Selected, load_dataset, parse_dataset
from unweave.errors import DataError, SpecError
from unweave.spec import identity

BASE = "dsprites(grid=(3, 3, 4, 8, 8))"
ROWS = np.sort(np.random.default_rng(3).permutation(2304)[:90])


@pytest.fixture
def spec(tmp_path):
    return Listed.write(parse_dataset(BASE), tmp_path / "rows.npy", ROWS)


def test_it_has_the_images_that_the_file_lists(spec, tmp_path):
    base, part = load_dataset(BASE), spec.open()
    flat = np.arange(90)
    assert len(part) == spec.count == 90
    np.testing.assert_array_equal(part.images(flat), base.images(ROWS))
    np.testing.assert_array_equal(part.gather(flat[::-2])[0], base.gather(ROWS[::-2])[0])
    np.testing.assert_array_equal(part.factors(flat), base.factors(ROWS))
    assert part.factor_space == base.factor_space
    assert not part.is_grid
    # Nothing is copied.
    assert isinstance(part.store, Selected)
    found = part.find(base.factors(np.arange(2304)))
    np.testing.assert_array_equal(np.flatnonzero(found >= 0), ROWS)
    # The digest is that of the file as it lies there; any number of its digits will do.
    digest = hashlib.sha256((tmp_path / "rows.npy").read_bytes()).hexdigest()
    assert spec.digest == digest[:16]
    whole = parse_dataset(f"listed(data={BASE}, file={spec.file!r}, digest='{digest}')")
    assert whole.open().store.fingerprint() == part.store.fingerprint()
    assert np.load(tmp_path / "rows.npy").dtype == np.int64
    spec.verify()


def test_all_images_of_a_grid_are_no_grid(tmp_path):
    data = parse_dataset("dsprites(grid=(1, 1, 1, 4, 4))")
    spec = Listed.write(data, tmp_path / "all.npy", np.arange(16, dtype=np.int32))
    assert not spec.full_grid
    part = spec.open()
    assert not part.is_grid
    np.testing.assert_array_equal(part.factors(np.arange(16)), data.open().factors(np.arange(16)))


def test_it_nests_either_way(spec, tmp_path):
    inner = load_dataset(f"only(data={spec}, where='shape == 1')")
    shapes = load_dataset(BASE).factors(ROWS)[:, 0]
    kept = ROWS[shapes == 0]
    np.testing.assert_array_equal(
        inner.images(np.arange(len(inner))), load_dataset(BASE).images(kept)
    )
    subset = load_dataset(f"subset(data={spec}, images=20, seed=1)")
    assert len(subset) == 20
    again = Listed.write(spec, tmp_path / "again.npy", np.array([0, 5, 89]))
    assert again.count == 3
    np.testing.assert_array_equal(
        again.open().images([0, 1, 2]), load_dataset(BASE).images(ROWS[[0, 5, 89]])
    )
    # However images were chosen, equal ones have one name, by which codes are kept.
    at_once = Listed.write(parse_dataset(BASE), tmp_path / "once.npy", ROWS[[0, 5, 89]])
    assert at_once.open().store.fingerprint() == again.open().store.fingerprint()
    odds = load_dataset(f"correlated(data={spec}, pairs=((pos_x, pos_y),))")
    assert odds.weights.shape == (90,)
    outer = Listed.write(odds.spec, tmp_path / "odds.npy", np.arange(10)).open()
    np.testing.assert_allclose(outer.weights, odds.weights[:10] / odds.weights[:10].sum())


def test_a_text_can_be_read_without_its_file(spec, tmp_path):
    text = str(spec)
    (tmp_path / "rows.npy").unlink()
    for each in (text, f"only(data={text}, where='shape == 1')", f"subset(data={text}, images=9)"):
        read = parse_dataset(each)
        assert str(read) == each
        assert identity(read)
        for refused in (read.check_loadable, read.open):
            with pytest.raises(DataError, match=r"rows.npy does not exist; .* write it anew"):
                refused()
    with pytest.raises(SpecError, match="'shap' is no factor"):
        parse_dataset(f"only(data={text}, where='shap == 1')")


def test_a_file_that_has_changed_is_refused(spec, tmp_path):
    assert spec.count == 90
    np.save(tmp_path / "rows.npy", ROWS[:-1])
    other = hashlib.sha256((tmp_path / "rows.npy").read_bytes()).hexdigest()
    for refused in (spec.check_loadable, spec.open, spec.verify):
        with pytest.raises(DataError, match=f"another file than was meant: .* {other[:16]}"):
            refused()


def listed(path, content):
    """The text of a dataset with a file of any content."""
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return f"listed(data={BASE}, file={str(path)!r}, digest='{digest}')"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([3, 2], "ascending and without repeats"),
        ([3, 3], "ascending and without repeats"),
        ([-1, 3], "at least 0"),
        ([], "lists no image"),
        ([0.5, 1], "int64 of shape (n,), not float64"),
        ([[0, 1]], "not int64 of shape (1, 2)"),
    ],
)
def test_what_are_no_flat_indices_is_refused(rows, said, tmp_path):
    array = np.array(rows) if rows else np.zeros(0, np.int64)
    path = tmp_path / "rows.npy"
    np.save(path, array)
    text = listed(path, path.read_bytes())
    with pytest.raises(DataError, match=re.escape(said)):
        load_dataset(text)
    with pytest.raises(DataError, match=re.escape(said)):
        Listed.write(parse_dataset(BASE), tmp_path / "new.npy", array)
    assert not (tmp_path / "new.npy").exists()


def test_an_image_that_is_not_there_is_refused(tmp_path):
    spec = Listed.write(parse_dataset(BASE), tmp_path / "rows.npy", np.array([5, 2304]))
    for refused in (spec.check_loadable, spec.open, lambda: spec.count):
        with pytest.raises(SpecError, match=r"lists image 2,304, but dsprites.* has only 2,304"):
            refused()


def test_files_that_are_no_arrays_are_refused(tmp_path):
    with pytest.raises(DataError, match="is no npy file"):
        load_dataset(listed(tmp_path / "text.npy", b"1, 2, 3"))
    pickled = tmp_path / "pickled.npy"
    np.save(pickled, np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match="is no npy file"):
        load_dataset(listed(pickled, pickled.read_bytes()))
    with pytest.raises(DataError, match="is a folder"):
        load_dataset(f"listed(data={BASE}, file={str(tmp_path)!r}, digest='{16 * '0'}')")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("file='', digest='6f1e4c0a93b7d258'", "file must be a path"),
        ("file='a.npy', digest='6f1e4c0a93b7d25'", "digest must be 16 to 64 hexadecimal digits"),
        ("file='a.npy', digest='6F1E4C0A93B7D258'", "in small letters"),
        ("file='a.npy'", "listed needs digest"),
    ],
)
def test_texts_that_are_refused(fields, said):
    with pytest.raises(SpecError, match=said):
        parse_dataset(f"listed(data=dsprites, {fields})")


def test_own_images_without_factors(home, tmp_path):
    np.savez(tmp_path / "own.npz", images=pictures(6))
    own = parse_dataset(f"arrays(path={str(tmp_path / 'own.npz')!r})")
    spec = Listed.write(own, tmp_path / "rows.npy", np.array([1, 4]))
    part = spec.open()
    assert len(part) == 2
    assert not part.labelled
    np.testing.assert_array_equal(part.images([0, 1]), pictures(6)[[1, 4]])
    beyond = Listed.write(own, tmp_path / "beyond.npy", np.array([1, 6]))
    with pytest.raises(SpecError, match="has only 6, from 0 to 5"):
        beyond.open()
