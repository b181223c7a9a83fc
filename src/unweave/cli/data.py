"""`unweave data list|prepare|show|verify`."""

from __future__ import annotations

__all__ = ["DataList", "DataPrepare", "DataShow", "DataVerify"]

from dataclasses import dataclass
from typing import Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Text, bar


def _row(spec: Any) -> dict[str, Any]:
    folder = spec.folder()
    factors = spec.factor_space.factors if spec.labelled else ()
    return {
        "name": spec.name,
        "text": str(spec),
        "source": spec.source,
        "images": spec.count,
        "shape": list(spec.image_shape),
        "factors": [{"name": f.name, "size": f.size, "kind": f.kind} for f in factors],
        "ready": spec.ready(),
        "folder": None if folder is None else str(folder),
    }


def _line(row: dict[str, Any]) -> str:
    shape = "x".join(str(size) for size in row["shape"])
    head = f"{row['text']}   {row['source']}, {row['images']:,} images of {shape}"
    factors = ", ".join(f"{f['name']} {f['size']}" for f in row["factors"]) or "not known"
    place = f" in {row['folder']}" if row["folder"] else ", with nothing stored of its own"
    ready = f"ready{place}" if row["ready"] else "not prepared yet"
    return f"{head}\n  factors: {factors}\n  {ready}"


@final
@dataclass(kw_only=True)
class DataList(Common):
    """List datasets: source, images, factors, and whether they are ready."""

    def run(self) -> int:
        """Print the list."""
        from unweave.data import catalog

        rows = [_row(spec) for spec in catalog()]
        self.emit({"datasets": rows}, "\n".join(_line(row) for row in rows))
        return 0


@final
@dataclass(kw_only=True)
class DataPrepare(Common):
    """Build a dataset's store, so that training starts at once."""

    dataset: Positional[Annotated[str, arg(metavar="DATASET")]]
    """Text of the dataset, such as dsprites or "dsprites(source=archive)"."""

    from_file: Annotated[str | None, arg(name="from", metavar="FILE", help_behavior_hint="")] = (
        None
    )
    """The published archive on this machine, instead of a download."""

    def run(self) -> int:
        """Prepare and describe it."""
        import time

        from unweave.data import with_file

        spec = with_file(self.dataset, self.from_file)
        begun = time.monotonic()
        with bar() as progress:
            spec.open(progress)
        seconds = time.monotonic() - begun
        row = _row(spec) | {"seconds": seconds}
        self.emit(row, f"{_line(row)}\n  opened in {seconds:.1f} s")
        return 0


@final
@dataclass(kw_only=True)
class DataVerify(Common):
    """Compare every block of a prepared dataset with its checksum."""

    dataset: Positional[Annotated[str, arg(metavar="DATASET")]]
    """Text of the dataset."""

    def run(self) -> int:
        """Verify and say so."""
        import shlex

        from unweave.data import parse_dataset
        from unweave.errors import DataError

        spec = parse_dataset(self.dataset)
        spec.check_loadable()
        if not spec.ready():
            command = shlex.join(["unweave", "data", "prepare", str(spec)])
            raise DataError(f"{spec} is not prepared yet: run {command}.")
        with bar() as progress:
            spec.verify(progress)
        self.emit(
            _row(spec) | {"verified": True},
            f"{spec}: all {spec.count:,} images agree with their checksums.",
        )
        return 0


@final
@dataclass(kw_only=True)
class DataShow(Common):
    """Draw random images and one traversal per factor into a PNG file."""

    dataset: Positional[Annotated[str, arg(metavar="DATASET")]]
    """Text of the dataset."""

    out: Text = None
    """File to write (default: <name>.png in the working directory)."""

    seed: int = 0
    """Which random images are shown."""

    def run(self) -> int:
        """Draw and say where the file is."""
        from pathlib import Path

        from unweave.data import parse_dataset
        from unweave.errors import SpecError
        from unweave.figures import dataset_figure
        from unweave.plots import save

        spec = parse_dataset(self.dataset)
        path = Path(self.out or f"{spec.name}.png")
        if path.suffix.lower() != ".png":
            raise SpecError(f"--out must end in .png, but is {path}.")
        if self.seed < 0:
            raise SpecError(f"--seed must be at least 0, but is {self.seed}.")
        with bar() as progress:
            dataset = spec.open(progress)
        save(dataset_figure(dataset, self.seed), path)
        self.emit(_row(spec) | {"figure": str(path)}, str(path))
        return 0
