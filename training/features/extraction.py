"""Labelled pictures → a feature table: in parallel, through a cache, whatever their number."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from models.graphs import CHIP_SIZE
from models.runtime import available_cores
from training.datasets.samples import Samples, Skipped
from training.datasets.splits import SEED, HoldOut, split
from training.features.cache import Cache, Extracted, open_cache
from training.features.extractor import ExtractionSettings, Extractor, read_picture
from training.features.table import FeatureTable, TableInfo
from training.features.table_files import Row, TableWriter, check_names, read_table, table_writer
from training.outputs import short_path, write_text

Progress: TypeAlias = Callable[[int], None]
"""Told how many pictures were done since the last call."""

CHANGED = "changed while it was read"
_CHUNK = 64  # pictures between two transactions: what a kill loses at most
_ROW_GROUP = 1024  # pictures a group of the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What became of the pictures of a dataset.

    Attributes:
        pictures: how many there were.
        faces: how many faces of them are in the table.
        reused: how many pictures the cache knew already.
        skipped: the pictures left out, with the reason.
    """

    pictures: int
    faces: int
    reused: int
    skipped: tuple[Skipped, ...]

    def reasons(self) -> dict[str, int]:
        """How many pictures were skipped for each reason, most frequent first."""
        return dict(Counter(each.reason for each in self.skipped).most_common())


def extract_features(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    *,
    hold_out: HoldOut | None = None,
    seed: int = SEED,
    cache: Path | None = None,
    progress: Progress = lambda done: None,
) -> Extraction:
    """Embeds every picture and writes the table, and beside it the list of skipped pictures.

    Killed at any moment and started again it goes on where it was, and the table is the same to
    the byte: each picture is embedded by itself, and the table is put together at the end.

    Args:
        samples: the pictures; their split is decided here and written into the table.
        out: the Parquet file. `skipped_path(out)` lists what was left out.
        extractor: finds and embeds the faces.
        hold_out: which half a picture belongs to; the dataset's own split unless given.
        seed: of the split.
        cache: file of what is computed already, `cache_path(out)` unless given.
        progress: is told of every picture.

    Raises:
        DatasetError: no split can be made, or a label's name is taken.
        OutputError: the disk refuses; what was computed is kept.
    """
    splits, how = split(samples, hold_out or HoldOut(), seed)
    embedder = extractor.engine.embedder
    info = TableInfo(
        dataset=samples.name,
        credit=samples.credit,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        chip_size=CHIP_SIZE,
        engine=str(extractor.settings),
        hold_out=how,
        command=command_line(samples, extractor.settings, hold_out or HoldOut(), seed),
        attributes=tuple(samples.labels),
        compositions=samples.compositions,
    )
    check_names(info)
    with open_cache(cache or cache_path(out)) as store:
        keys, reused = _fill(store, samples, extractor, progress)
        with table_writer(out, info) as writer:
            faces, skipped = _assemble(store, keys, samples, splits, writer)
    write_text(skipped_path(out), _skipped_csv(skipped))
    return Extraction(pictures=len(samples), faces=faces, reused=reused, skipped=tuple(skipped))


def temporary_table(
    samples: Samples, extractor: Extractor, hold_out: HoldOut, seed: int, progress: Progress
) -> FeatureTable:
    """The table of a dataset, of which nothing stays on disk."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "features.parquet"
        extract_features(samples, out, extractor, hold_out=hold_out, seed=seed, progress=progress)
        return read_table(out)


def command_line(
    samples: Samples, settings: ExtractionSettings, hold_out: HoldOut, seed: int
) -> str:
    """The command that makes a table with these settings."""
    words = [f"face-train features {samples.root.resolve().name} --out features.parquet"]
    if settings.embedder is not None:
        words.append(f"--embedder {short_path(settings.embedder)}")
    if not settings.mirror:
        words.append("--no-mirror")
    return " ".join([*words, *dataset_options(samples, settings, hold_out, seed)])


def dataset_options(
    samples: Samples, settings: ExtractionSettings, hold_out: HoldOut, seed: int
) -> list[str]:
    """The options, where they are not the default, that say which faces are taken and held out."""
    default = ExtractionSettings()
    words = []
    if settings.aligned != samples.aligned:
        words.append("--aligned" if settings.aligned else "--no-aligned")
    if settings.faces != default.faces:
        words.append(f"--faces {settings.faces}")
    if settings.detection.detector != default.detection.detector:
        words.append(f"--detector {settings.detection.detector}")
    if hold_out != HoldOut():
        words.append(f"--hold-out {hold_out.spelt}")
    if seed != SEED:
        words.append(f"--seed {seed}")
    return words


def cache_path(out: Path) -> Path:
    """Where the embeddings computed for a table are kept between runs."""
    return out.with_name(out.name + ".cache")


def skipped_path(out: Path) -> Path:
    """Where the pictures that are not in a table are listed."""
    return out.with_name(out.stem + ".skipped.csv")


def _assemble(
    store: Cache,
    keys: Sequence[bytes],
    samples: Samples,
    splits: Sequence[str],
    writer: TableWriter,
) -> tuple[int, list[Skipped]]:
    """Writes the table from what the cache knows; returns how many faces, and what is left out."""
    skipped = list(samples.skipped)
    faces = 0
    for start in range(0, len(samples), _ROW_GROUP):
        rows: list[Row] = []
        for index in range(start, min(start + _ROW_GROUP, len(samples))):
            found = store.get(keys[index])
            if found is None or found.reason:
                reason = found.reason if found else CHANGED
                skipped.append(Skipped(samples.files[index], reason))
            else:
                faces += len(found.face_px)
                rows.extend(_rows(samples, index, splits[index], found))
        writer.write(rows)
    return faces, skipped


def _fill(
    store: Cache, samples: Samples, extractor: Extractor, progress: Progress
) -> tuple[list[bytes], int]:
    """Sees to it that the cache knows every picture; returns their keys and how many it knew."""
    keys: list[bytes] = []
    reused = 0
    with ThreadPoolExecutor(available_cores()) as pool:
        for start in range(0, len(samples), _CHUNK):
            paths = [samples.root / file for file in samples.files[start : start + _CHUNK]]
            chunk = list(pool.map(lambda path: extractor.key(read_picture(path)), paths))
            known = [store.get(key) is not None for key in chunk]
            missing = [path for path, is_known in zip(paths, known, strict=True) if not is_known]
            progress(sum(known))
            store.put(_computed(pool, missing, extractor, progress))
            keys.extend(chunk)
            reused += sum(known)
    return keys, reused


def _computed(
    pool: ThreadPoolExecutor, paths: Sequence[Path], extractor: Extractor, progress: Progress
) -> Iterator[tuple[bytes, Extracted]]:
    def compute(path: Path) -> tuple[bytes, Extracted]:
        content = read_picture(path)
        return extractor.key(content), extractor.extract(content)

    for result in pool.map(compute, paths):
        progress(1)
        yield result


def _rows(samples: Samples, index: int, split_name: str, found: Extracted) -> Iterator[Row]:
    labels = tuple(column[index] for column in samples.labels.values())
    for face, (face_px, views) in enumerate(zip(found.face_px, found.embeddings, strict=True)):
        for view, embedding in enumerate(views):
            yield Row(
                file=samples.files[index],
                face=face,
                mirrored=view == 1,
                identity=samples.identities[index],
                split=split_name,
                face_px=float(face_px),
                embedding=embedding,
                labels=labels,
            )


def _skipped_csv(skipped: Sequence[Skipped]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "reason"])
    writer.writerows((each.file, each.reason) for each in skipped)
    return text.getvalue()
