"""`unweave data list|prepare|show|verify`."""

from __future__ import annotations

__all__ = ["DataList", "DataPrepare", "DataShow", "DataVerify"]

import sys
from dataclasses import dataclass
from typing import Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Int, Text, bar, to_number

_MOST_FACTORS = 8

_KINDS = {
    "views": "PARTS of any dataset, and other odds for its images; they nest",
    "own": "YOUR OWN images, beside unweave.from_arrays, from_torch and from_function",
    "samplers": "SAMPLERS of images that belong together, from any dataset with factors "
    "(unweave.data.samplers)",
}


def _row(spec: Any) -> dict[str, Any]:
    from unweave.data.listing import describe

    return describe(spec)


def _shape(row: dict[str, Any]) -> str:
    return "x".join(str(size) for size in row["shape"])


def _factors(row: dict[str, Any]) -> str:
    """Names and sizes, the first of many."""
    found = [f"{factor['name']} {factor['size']}" for factor in row["factors"]]
    more = len(found) - _MOST_FACTORS
    if more > 1:
        found = [*found[:_MOST_FACTORS], f"and {more} more"]
    return ", ".join(found) or "not known"


def _line(row: dict[str, Any]) -> str:
    head = f"{row['text']}   {row['source']}, {row['images']:,} images of {_shape(row)}"
    place = f" in {row['folder']}" if row["folder"] else ", with nothing stored of its own"
    ready = f"ready{place}" if row["ready"] else "not prepared yet"
    return f"{head}\n  factors: {_factors(row)}\n  {ready}"


def _state(row: dict[str, Any]) -> str:
    """Whether a dataset is ready, and else what there is to do."""
    if row["ready"]:
        return "ready" if row["stored_bytes"] else "ready, nothing to prepare"
    what = {"rendered": "drawn when needed", "download": "downloaded when needed"}
    size = f", {row['stored_bytes'] / 1e9:.1f} GB prepared"
    return what.get(row["get"]["how"], "fetched by hand, then --from FOLDER") + size


def _listing(rows: list[dict[str, Any]], kinds: dict[str, list[dict[str, str]]]) -> str:
    """Datasets by where their images come from, and what is made of them."""
    width = max(len(row["text"]) for row in rows) + 2
    groups = {
        "RENDERED by unweave": [row for row in rows if row["source"] == "rendered"],
        "PUBLISHED files": [row for row in rows if row["source"] != "rendered"],
    }
    lines = []
    for heading, group in groups.items():
        lines.append(heading)
        for row in group:
            lines += [
                f"  {row['text']:<{width}}{row['images']:>9,} of {_shape(row):<8}   {_state(row)}",
                f"    {_factors(row)}",
            ]
        lines.append("")
    for kind, members in kinds.items():
        lines.append(_KINDS[kind])
        for member in members:
            lines += [f"  {member['example']}", f"    {member['about']}"]
        lines.append("")
    return "\n".join([*lines, "Fields, sources and folders: --json"])


@final
@dataclass(kw_only=True)
class DataList(Common):
    """List datasets, parts, samplers: source, images, factors, whether they are ready."""

    def run(self) -> int:
        """Print the list."""
        from unweave.data import catalog
        from unweave.data.listing import kinds

        rows, others = [_row(spec) for spec in catalog()], kinds()
        self.emit({"datasets": rows, **others}, _listing(rows, others))
        return 0


@final
@dataclass(kw_only=True)
class DataPrepare(Common):
    """Draw or fetch a dataset ahead, so that a training starts at once."""

    dataset: Positional[Annotated[str, arg(metavar="DATASET")]]
    """The dataset, such as dsprites or "dsprites(source=archive)"."""

    from_file: Annotated[str | None, arg(name="from", metavar="FILE", help_behavior_hint="")] = (
        None
    )
    """The published archive on this machine, a file or folder, instead of a download."""

    def run(self) -> int:
        """Prepare and describe it."""
        import time

        from unweave.data import ArchiveSpec, with_file
        from unweave.errors import DataError

        spec = with_file(self.dataset, self.from_file)
        begun = time.monotonic()
        try:
            with bar() as progress:
                spec.open(progress)
        except KeyboardInterrupt:
            print("What is there so far is kept; the same command goes on.", file=sys.stderr)
            raise
        except DataError as error:
            if "path=" in self.dataset:
                raise
            # Readers know of the field alone, which was not typed.
            raise DataError(str(error).replace("path=...", "--from ...")) from error
        if isinstance(spec, ArchiveSpec):
            spec.remember()
        seconds = time.monotonic() - begun
        row = _row(spec) | {"seconds": seconds}
        self.emit(row, f"{_line(row)}\n  opened in {seconds:.1f} s")
        return 0


@final
@dataclass(kw_only=True)
class DataVerify(Common):
    """Compare every block of a prepared dataset with its checksum."""

    dataset: Positional[Annotated[str, arg(metavar="DATASET")]]
    """The dataset, such as dsprites or "dsprites(source=archive)"."""

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
        row = _row(spec)
        found = (
            f"all {spec.count:,} images agree with their checksums."
            if row["stored_bytes"]
            else "its images are drawn as they are read; nothing is stored that could be damaged."
        )
        self.emit(row | {"verified": True}, f"{spec}: {found}")
        return 0


@final
@dataclass(kw_only=True)
class DataShow(Common):
    """Show datasets: random images, one factor at a time, how often values occur, source.

    Without a name all datasets that `data list` has as ready are shown.
    """

    datasets: Positional[
        Annotated[tuple[str, ...], arg(metavar="[DATASET ...]", help_behavior_hint="")]
    ] = ()
    """Datasets, such as dsprites or "sprites(images=1000)"; what is missing is fetched first."""

    all_rendered: Flag = False
    """Every dataset that unweave draws itself, small where it is not ready."""

    out: Text = None
    """File to write: .html for a page (default: NAME.html here), .png for a figure; of one dataset
    .gif, .webp or .mp4, in which its factors move."""

    seed: Int = "0"
    """Which random images are shown (default 0)."""

    def run(self) -> int:
        """Draw and say where the file is."""
        from pathlib import Path

        from unweave.errors import SpecError
        from unweave.plots import FORMATS, check_format, check_picture
        from unweave.report.place import DATASETS, check_page

        specs, notes = self._chosen()
        name = specs[0].name if len(specs) == 1 else "datasets"
        path = Path(self.out or f"{name}.html")
        ending = path.suffix.lower().removeprefix(".")
        moving = ending in FORMATS
        if ending not in ("html", "htm", "png") and not moving:
            raise SpecError(
                f"--out must end in .html or .png, or in .{', .'.join(FORMATS)}, but is {path}."
            )
        if ending.startswith("htm"):
            check_page(path, DATASETS)
        else:
            check_picture(path)
        if moving:
            check_format(ending)
            if len(specs) != 1:
                raise SpecError(f"A .{ending} shows one dataset, but {len(specs)} are named.")
        seed = to_number("--seed", self.seed, int)
        if seed < 0:
            raise SpecError(f"--seed must be at least 0, but is {seed}.")
        for spec in specs:
            spec.check_loadable()
        with bar() as progress:
            opened = [spec.open(progress) for spec in specs]
        if ending.startswith("htm"):
            from unweave.report import write_datasets

            write_datasets(opened, path, seed=seed, notes=notes)
        else:
            from unweave.gallery import contact_sheet, dataset_figure, dataset_film
            from unweave.plots import save

            if len(opened) == 1:
                picture = (dataset_film if moving else dataset_figure)(opened[0], seed)
            else:
                picture = contact_sheet(opened, seed)
            save(picture, path)
        rows = [_row(spec) for spec in specs]
        self.emit(
            {"file": str(path), "datasets": rows, "notes": notes}, "\n".join([*notes, str(path)])
        )
        return 0

    def _chosen(self) -> tuple[list[Any], list[str]]:
        """What is shown, and what is to be said of it."""
        from unweave.data import catalog, parse_dataset
        from unweave.data.listing import sketch
        from unweave.errors import SpecError

        if self.datasets and self.all_rendered:
            raise SpecError("Give names of datasets or --all-rendered, not both.")
        if self.datasets:
            return [parse_dataset(text) for text in self.datasets], []
        if not self.all_rendered:
            return [spec for spec in catalog() if spec.ready()], []
        whole = [spec for spec in catalog() if spec.source == "rendered"]
        shown = [sketch(spec) for spec in whole]
        small = [str(spec) for spec, drawn in zip(whole, shown, strict=True) if spec != drawn]
        if not small:
            return shown, []
        return shown, [
            f"Shown small, since they are not prepared yet: {', '.join(small)}. "
            "The whole is shown after unweave data prepare NAME."
        ]
