"""Wheel and sdist have what they should have, and nothing else; and what is wrong is told."""

from __future__ import annotations

import pytest

from release.archives import STRAY, in_sdist, in_wheel, problems, version_of, wrong_metadata


@pytest.fixture(scope="module")
def contents(archives, wheel_of_sdist):
    """Files of the wheel, the sdist, and the wheel of the sdist, which must not be changed."""
    return in_wheel(archives.wheel), in_sdist(archives.sdist), in_wheel(wheel_of_sdist)


@pytest.fixture
def info(checkout):
    """Folder of the metadata in the wheel."""
    return f"unweave-{version_of(checkout)}.dist-info"


def test_nothing_is_wrong(contents, checkout):
    assert problems(*contents, checkout) == []


def test_what_work_leaves_in_a_checkout_is_in_no_archive(contents, checkout):
    stray = {name.removeprefix("src/") for name in STRAY}
    assert all((checkout / name).is_file() for name in STRAY)
    for names in contents:
        assert not {name.removeprefix("src/") for name in names} & stray


def test_all_kinds_of_data_are_in_the_wheel(contents):
    wheel = contents[0]
    assert "unweave/py.typed" in wheel
    kinds = {name.rsplit(".", 1)[-1] for name in wheel if name.startswith("unweave/")}
    assert {"py", "typed", "js", "css", "html", "j2", "bib"} <= kinds


def test_names_say_what_they_are(archives, checkout):
    version = version_of(checkout)
    assert archives.wheel.name == f"unweave-{version}-py3-none-any.whl"
    assert archives.sdist.name == f"unweave-{version}.tar.gz"


def test_what_is_missing_or_too_much_is_told(contents, info, checkout):
    wheel, sdist, again = (dict(found) for found in contents)
    del wheel["unweave/py.typed"]
    wheel["tests/test_rundir.py"] = b""
    del sdist["LICENSE"]
    wheel[f"{info}/entry_points.txt"] += b"other = unweave.cli:main\n"
    found = problems(wheel, sdist, again, checkout)
    assert "wheel: unweave/py.typed is missing" in found
    assert "wheel: tests/test_rundir.py does not belong there" in found
    assert "LICENSE is not the licence of the checkout" in found
    assert "wheel: its entry points are not `unweave` alone" in found
    assert "wheel of the sdist: unweave/py.typed does not belong there" in found


def test_other_files_in_the_sdist_are_told(contents, checkout):
    wheel, sdist, again = (dict(found) for found in contents)
    del sdist["docs/index.md"]
    sdist["runs/first/config.json"] = b"stray"
    assert problems(wheel, sdist, again, checkout) == [
        "sdist: docs/index.md is missing",
        "sdist: runs/first/config.json does not belong there",
    ]


def test_other_contents_are_told(contents, checkout):
    wheel, sdist, again = (dict(found) for found in contents)
    wheel["unweave/errors.py"] += b"#"
    sdist["pyproject.toml"] += b"#"
    assert problems(wheel, sdist, again, checkout) == [
        "wheel: unweave/errors.py is not that of src",
        "wheel of the sdist: unweave/errors.py is another",
        "sdist: pyproject.toml is not that of the checkout",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"\nVersion: ", b"\nVersion: 9.", "Version is '9."),
        (b"License-Expression: Apache-2.0", b"License-Expression: Apache", "Apache"),
        (b"Classifier: Typing :: Typed", b"Classifier: Typing :: Untyped", "none that an index"),
        (b"Description-Content-Type: text/markdown", b"Description-Content-Type: text/html",
         "text/html"),
        (b"Name: unweave", b"Name: unweave\nName: other", "'name' has invalid data"),
        (b"# unweave", b"# another", "Description is"),
        (b"Requires-Python: >=3.11", b"Requires-Python: new", "new"),
    ],
)  # fmt: skip
def test_wrong_metadata_are_told(contents, info, checkout, old, new, told):
    data = contents[0][f"{info}/METADATA"]
    assert data.count(old) >= 1
    assert wrong_metadata(data, version_of(checkout), checkout) == []
    wrong = wrong_metadata(data.replace(old, new, 1), version_of(checkout), checkout)
    assert wrong
    assert any(told in line for line in wrong), wrong
