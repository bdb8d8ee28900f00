"""Reads a dataset in any known layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.program.printable import shortened
from training.datasets.coco import is_coco, read_coco
from training.datasets.fairface import is_fairface, read_fairface
from training.datasets.folders import has_folders, is_folders, read_folders
from training.datasets.label_studio import is_label_studio, read_label_studio
from training.datasets.lfwa import is_lfwa, read_lfwa
from training.datasets.manifest import is_manifest, read_manifest
from training.datasets.marked_table import is_marked_table, read_marked_table
from training.datasets.samples import Samples
from training.datasets.utkface import is_utkface, read_utkface
from training.errors import DatasetError
from training.outputs import quoted


@dataclass(frozen=True, slots=True)
class DatasetLayout:
    """A way labelled pictures are laid out.

    Attributes:
        fits: whether the dataset at a path has it.
        read: the dataset at a path, with the labels wanted.
        describes: what is expected, for the message where no layout fits.
    """

    fits: Callable[[Path], bool]
    read: Callable[[Path, Sequence[str] | None], Samples]
    describes: str


LAYOUTS: Mapping[str, DatasetLayout] = {
    "manifest": DatasetLayout(
        is_manifest, read_manifest, "a CSV, TSV or Parquet file with a column file"
    ),
    "fairface": DatasetLayout(is_fairface, read_fairface, "fairface_label_*.csv in the folder"),
    "lfwa": DatasetLayout(is_lfwa, read_lfwa, "lfw_att_73.mat in the folder"),
    "utkface": DatasetLayout(is_utkface, read_utkface, "pictures named age_gender_race_date.jpg"),
    "labelstudio": DatasetLayout(
        is_label_studio, read_label_studio, "tasks for Label Studio, and what it exported as JSON"
    ),
    "coco": DatasetLayout(is_coco, read_coco, "annotations.json of COCO in the folder"),
    "marked": DatasetLayout(
        is_marked_table, read_marked_table, "annotations.csv of marked faces in the folder"
    ),
    "folders": DatasetLayout(is_folders, read_folders, "a folder of pictures per class"),
}
"""The layouts by name."""


def read_dataset(
    path: Path, layout: str | None = None, labels: Sequence[str] | None = None
) -> Samples:
    """The labelled pictures at a path, in the layout named or the one that fits.

    Args:
        path: a folder or a list.
        layout: one of `LAYOUTS`.
        labels: the wanted attributes; for a folder per class, the one name of the attribute.

    Raises:
        DatasetError: the path does not exist, no layout fits or several do, or the dataset cannot
            be read.
    """
    if not path.exists():
        raise DatasetError(f"{path} does not exist")
    asked: list[str] = [] if layout is None else [f"--format {layout}"]
    if labels is not None:
        asked.append(f"--labels {quoted(','.join(labels))}")
    if layout is None:
        layout = _recognised(path)
    elif layout not in LAYOUTS:
        raise DatasetError(f"the format {layout!r} is none of {', '.join(LAYOUTS)}")
    return replace(LAYOUTS[layout].read(path, labels), asked=tuple(asked))


def _recognised(path: Path) -> str:
    """The one layout that fits."""
    fitting = [name for name, each in LAYOUTS.items() if each.fits(path)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and has_folders(path):
        return "folders"  # whose reader says what is missing
    described = "; ".join(f"{name}: {LAYOUTS[name].describes}" for name in fitting or LAYOUTS)
    if fitting:
        raise DatasetError(
            f"{path} fits {len(fitting)} layouts ({described}): name the one that is meant, "
            f"{' or '.join(f'--format {name}' for name in fitting)}"
        )
    raise DatasetError(
        f"{path} has no layout that is known ({described}): name one with --format{_hint(path)}"
    )


def _hint(path: Path) -> str:
    """What may be meant by a folder without a layout that is known."""
    lists = sorted(each for each in path.iterdir() if is_manifest(each)) if path.is_dir() else []
    return f", or the list in it, {shortened(lists[0].name)}" if lists else ""
