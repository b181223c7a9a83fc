"""Files are written whole or not at all; broken ones are told from good ones."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import pytest

from unweave.errors import RunError, SpecError, UnweaveError
from unweave.rundir import (
    alone,
    atomic_write,
    check_replaceable,
    explain_os_error,
    home,
    is_held,
    is_run,
    json_keys,
    read_json,
    read_state,
    read_status,
    read_study,
    runs_root,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestAtomicWrite:
    def test_content_appears_at_the_end(self, tmp_path):
        path = tmp_path / "deep" / "file"
        with atomic_write(path) as handle:
            handle.write(b"content")
            assert not path.exists()
        assert path.read_bytes() == b"content"
        assert names(path.parent) == ["file"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_a_failure_leaves_what_was_there(self, tmp_path, error):
        path = tmp_path / "file"
        path.write_bytes(b"old")

        def write():
            with atomic_write(path) as handle:
                handle.write(b"ne")
                raise error

        with pytest.raises(error):
            write()
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["file"]

    def test_a_full_disk_leaves_what_was_there(self, tmp_path, monkeypatch):
        path = tmp_path / "file"
        path.write_bytes(b"old")

        def fsync(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(UnweaveError, match="disk is full") as caught, atomic_write(path) as h:
            h.write(b"new")
        assert str(path) in str(caught.value)
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["file"]

    def test_it_is_flushed_before_it_is_renamed(self, tmp_path, monkeypatch):
        order = []
        fsync, replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", lambda d: (order.append("fsync"), fsync(d)))
        monkeypatch.setattr(
            Path, "replace", lambda self, to: (order.append("rename"), replace(self, to))[1]
        )
        with atomic_write(tmp_path / "file") as handle:
            handle.write(b"x")
        assert order == ["fsync", "rename"]

    def test_others_may_read_it_as_any_file(self, tmp_path):
        with atomic_write(tmp_path / "atomic") as handle:
            handle.write(b"x")
        (tmp_path / "plain").write_bytes(b"x")
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("atomic", "plain")}
        assert len(modes) == 1

    def test_a_folder_in_the_way(self, tmp_path):
        (tmp_path / "place").mkdir()
        with pytest.raises(UnweaveError, match="could not be written"):
            write_json(tmp_path / "place", {})
        assert names(tmp_path) == ["place"]

    def test_a_file_where_a_folder_should_be(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(UnweaveError, match="could not be written"):
            write_json(tmp_path / "file" / "x.json", {})


class TestReplaceable:
    def check(self, path):
        check_replaceable(path, "list of mine", lambda handle: handle.read(4) == b"list")

    def test_only_a_file_of_the_kind_is_replaced(self, tmp_path):
        path = tmp_path / "file"
        self.check(path)
        path.write_bytes(b"list of mine")
        self.check(path)
        # What cannot be made is left to whoever makes it.
        self.check(path / "inner")
        path.write_bytes(b"lis")
        with pytest.raises(SpecError, match="is no list of mine, so it is left as it is"):
            self.check(path)
        assert path.read_bytes() == b"lis"

    def test_a_folder_is_refused(self, tmp_path):
        with pytest.raises(SpecError, match="is a folder"):
            self.check(tmp_path)

    @pytest.mark.parametrize(
        ("content", "keys"),
        [
            (b'{"a": 1, "b": {"c": 2}}', {"a", "b"}),
            (b"[1]", set()),
            (b"", set()),
            (b"\xff", set()),
            (b"[" * 100_000, set()),
        ],
    )
    def test_keys_of_json(self, content, keys):
        assert json_keys(io.BytesIO(content)) == keys


class TestErrors:
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
    def test_full(self, code):
        text = str(explain_os_error(OSError(code, os.strerror(code)), Path("a/b")))
        assert text.startswith("The disk is full: a/b could not be written")
        assert "--out" in text

    @pytest.mark.parametrize(
        "code", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR]
    )
    def test_closed(self, code):
        text = str(explain_os_error(OSError(code, os.strerror(code)), Path("a/b")))
        assert text.startswith("a/b cannot be written: ")
        assert text.endswith("Choose another folder with --out, UNWEAVE_RUNS or UNWEAVE_HOME.")

    def test_other(self):
        assert "Is a directory" in str(
            explain_os_error(OSError(errno.EISDIR, "Is a directory"), Path("a"))
        )


class TestJson:
    def test_it_comes_back_in_order(self, tmp_path):
        value = {"b": [1, 2.5, None], "a": {"x": "é"}}
        write_json(tmp_path / "x.json", value)
        assert read_json(tmp_path / "x.json") == value
        assert list(read_json(tmp_path / "x.json")) == ["b", "a"]

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_what_json_has_no_word_for_is_refused(self, tmp_path, value):
        with pytest.raises(ValueError, match="JSON"):
            write_json(tmp_path / "x.json", {"a": value})
        assert names(tmp_path) == []

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{'a': 1}"])
    def test_a_damaged_file(self, tmp_path, content):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(RunError, match="cannot be read"):
            read_json(tmp_path / "x.json")

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(RunError, match="does not exist"):
            read_json(tmp_path / "x.json")
        with pytest.raises(RunError, match="cannot be read"):
            read_json(tmp_path)


class TestStatus:
    def test_it_says_how_far_a_run_is(self, tmp_path):
        assert read_state(tmp_path) is None
        write_json(tmp_path / "config.json", {})
        with pytest.raises(RunError, match=r"status\.json does not exist"):
            read_state(tmp_path)
        write_json(tmp_path / "status.json", {"state": "stopped", "step": 3, "seconds": 1.5})
        assert read_state(tmp_path) == "stopped"
        assert read_status(tmp_path) == {"state": "stopped", "step": 3, "seconds": 1.5}

    @pytest.mark.parametrize(
        "form",
        [[], None, {}, {"state": "stopped"}, {"step": 3}, {"state": 1, "step": 3}]
        + [{"state": "stopped", "step": step} for step in ("3", 3.5, None, True, -1, 10**30)],
    )
    def test_a_damaged_one(self, tmp_path, form):
        write_json(tmp_path / "status.json", form)
        with pytest.raises(RunError, match=r"status\.json is damaged"):
            read_status(tmp_path)


class TestStudy:
    @pytest.mark.parametrize(
        "change", [{"study": None}, {"study": []}, {"runs": None}, {"runs": {}}, {"runs": [1]}]
    )
    def test_a_damaged_one(self, tmp_path, change):
        form = {"format": 1, "study": {}, "runs": [{}]}
        write_json(tmp_path / "study.json", form)
        assert read_study(tmp_path) == form
        write_json(tmp_path / "study.json", form | change)
        with pytest.raises(RunError, match=r"study\.json is damaged"):
            read_study(tmp_path)


class TestPlaces:
    def test_home(self, monkeypatch, tmp_path):
        monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
        assert home() == tmp_path
        monkeypatch.setenv("UNWEAVE_HOME", "~/x")
        assert home() == Path.home() / "x"
        monkeypatch.delenv("UNWEAVE_HOME")
        assert home().name == "unweave"
        monkeypatch.setenv("UNWEAVE_HOME", "")
        assert home().name == "unweave"

    def test_runs(self, monkeypatch, tmp_path):
        monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
        assert runs_root() == tmp_path
        monkeypatch.delenv("UNWEAVE_RUNS")
        assert runs_root() == Path("runs")
        monkeypatch.setenv("UNWEAVE_RUNS", "~/x")
        assert runs_root() == Path.home() / "x"

    def test_what_is_a_run(self, tmp_path):
        assert not is_run(tmp_path)
        assert not is_run(tmp_path / "nowhere")
        (tmp_path / "config.json").mkdir()
        assert not is_run(tmp_path)
        (tmp_path / "config.json").rmdir()
        (tmp_path / "config.json").write_text("{}")
        assert is_run(tmp_path)


class TestAlone:
    def test_others_are_refused_while_the_block_runs(self, tmp_path):
        lock = tmp_path / ".lock"
        assert not is_held(lock)
        assert names(tmp_path) == []
        with alone(lock, "never said"):
            assert is_held(lock)
            with pytest.raises(RunError, match="wait for it"), alone(lock, "wait for it"):
                raise AssertionError
        assert not is_held(lock)
        with alone(lock, "never said", remove=True):
            assert is_held(lock)
        assert names(tmp_path) == []

    def test_one_who_waits_comes_in_when_the_other_has_left(self, tmp_path):
        lock = tmp_path / ".lock"
        first = alone(lock, "never said")
        first.__enter__()
        calls = []

        def waiting():
            calls.append(is_held(lock))
            first.__exit__(None, None, None)

        with alone(lock, waiting):
            assert is_held(lock)
        assert calls == [True]

    def test_a_folder_that_cannot_be_is_an_error_for_the_user(self, tmp_path):
        (tmp_path / "file").touch()
        held = alone(tmp_path / "file" / ".lock", "never said")
        with pytest.raises(UnweaveError, match="could not be written"):
            held.__enter__()
