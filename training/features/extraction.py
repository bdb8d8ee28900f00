"""Labelled pictures → a feature table: embedded in parallel, through a cache, then written."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from models.cells import text_cell
from models.graphs import CHIP_SIZE
from models.printable import printable
from models.runtime import available_cores
from training.datasets.samples import Samples, SkippedPicture
from training.datasets.splits import SEED, HoldOut, split
from training.features.cache import EmbeddedFaces, EmbeddingCache, open_cache
from training.features.extractor import (
    UNREADABLE,
    ExtractionSettings,
    Extractor,
    read_picture,
)
from training.features.table import FeatureTable, TableInfo
from training.features.table_files import FeatureRow, TableWriter, read_table, table_writer
from training.features.workers import Threads, Workers
from training.outputs import short_path, write_whole

ProgressCallback: TypeAlias = Callable[[int], None]
"""Is given the number of pictures done since the last call."""

CHANGED = "changed while it was read"
"""Reason for which a picture is skipped: its key is not that of the embedded picture."""

_ROW_GROUP_PICTURES = 1024
"""Pictures whose faces make a row group of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSummary:
    """How many pictures of a dataset were embedded, and which were skipped.

    Attributes:
        pictures: how many there were.
        faces: how many faces of them are in the table.
        reused: how many pictures were in the cache already.
        skipped: the pictures left out, with the reason.
    """

    pictures: int
    faces: int
    reused: int
    skipped: tuple[SkippedPicture, ...]

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
    workers: Workers | None = None,
    progress: ProgressCallback = lambda done: None,
) -> ExtractionSummary:
    """Embeds every picture and writes the table, and beside it where it comes from, and the list
    of skipped pictures.

    A run that was killed goes on where it was when it is started again, and the table is the same
    to the byte: each picture is embedded by itself, and the table is written at the end.

    Args:
        samples: the pictures; their split is decided here and written into the table.
        out: the Parquet file. `info_path(out)` is its description, for those who do not read
            Parquet; `skipped_path(out)` lists what was left out.
        extractor: finds and embeds the faces.
        hold_out: the rule of the split; the dataset's own split unless given.
        seed: of the split.
        cache: the file of embeddings computed already, `cache_path(out)` unless given.
        workers: what embeds the pictures; threads of this process unless given.
        progress: is given the number of pictures done.

    Raises:
        DatasetError: no split can be made, or a label's name is taken.
        OutputError: the disk refuses; what was computed is kept.
    """
    samples.check_names()
    splits, how = split(samples, hold_out or HoldOut(), seed)
    embedder = extractor.engine.embedder
    info = TableInfo(
        dataset=samples.name,
        credit=samples.credit,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        chip_size=CHIP_SIZE,
        engine=extractor.described,
        detector=extractor.settings.detector,
        hold_out=how,
        command=features_command(samples, extractor.settings, hold_out or HoldOut(), seed),
        attributes=tuple(samples.labels),
        flag_attributes=samples.flag_attributes,
    )
    with open_cache(cache or cache_path(out)) as store:
        keys, reused = _fill_cache(store, samples, extractor, workers, progress)
        with table_writer(out, info) as writer:
            faces, skipped = _write_faces(store, keys, samples, splits, writer)
    write_whole(info_path(out), f"{info.to_json(indent=2)}\n".encode())
    write_whole(skipped_path(out), _skipped_csv(skipped).encode())
    return ExtractionSummary(
        pictures=len(samples), faces=faces, reused=reused, skipped=tuple(skipped)
    )


def temporary_table(
    samples: Samples, extractor: Extractor, hold_out: HoldOut, seed: int, progress: ProgressCallback
) -> FeatureTable:
    """The table of a dataset; no file of it stays on disk."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "features.parquet"
        extract_features(samples, out, extractor, hold_out=hold_out, seed=seed, progress=progress)
        return read_table(out)


def features_command(
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
    """The options that say which faces are taken and held out, but for those of the default."""
    default = ExtractionSettings()
    words = []
    if settings.aligned != samples.aligned:
        words.append("--aligned" if settings.aligned else "--no-aligned")
    if settings.faces != default.faces:
        words.append(f"--faces {settings.faces}")
    if not settings.aligned:
        words.append(f"--detector {settings.detector}")  # the default may become another one
    if hold_out != HoldOut():
        words.append(f"--hold-out {hold_out.text}")
    if seed != SEED:
        words.append(f"--seed {seed}")
    return words


def cache_path(out: Path) -> Path:
    """Where the embeddings computed for a table are kept between runs."""
    return out.with_name(out.name + ".cache")


def info_path(out: Path) -> Path:
    """Where a table's description is, as its own file holds it."""
    return out.with_name(out.stem + ".info.json")


def skipped_path(out: Path) -> Path:
    """Where the pictures that are not in a table are listed."""
    return out.with_name(out.stem + ".skipped.csv")


def _write_faces(
    store: EmbeddingCache,
    keys: Sequence[bytes],
    samples: Samples,
    splits: Sequence[str],
    writer: TableWriter,
) -> tuple[int, list[SkippedPicture]]:
    """Writes the faces of the cache into the table; returns their number, and what is skipped."""
    skipped = list(samples.skipped)
    faces = 0
    for start in range(0, len(samples), _ROW_GROUP_PICTURES):
        rows: list[FeatureRow] = []
        for index in range(start, min(start + _ROW_GROUP_PICTURES, len(samples))):
            found = store.get(keys[index])
            if found is None or found.reason:
                reason = found.reason if found else CHANGED
                skipped.append(SkippedPicture(samples.files[index], reason))
            else:
                faces += len(found.face_px)
                rows.extend(_rows(samples, index, splits[index], found))
        writer.write(rows)
    return faces, skipped


def _fill_cache(
    store: EmbeddingCache,
    samples: Samples,
    extractor: Extractor,
    workers: Workers | None,
    progress: ProgressCallback,
) -> tuple[list[bytes], int]:
    """Embeds the pictures that the cache lacks; returns all keys and how many it had."""
    keys: list[bytes] = []
    reused = 0
    with ThreadPoolExecutor(available_cores()) as pool:
        workers = workers or Threads(pool, extractor)
        while len(keys) < len(samples):
            files = samples.files[len(keys) : len(keys) + workers.transaction]
            paths = [samples.root / file for file in files]
            chunk = list(pool.map(lambda path: extractor.key(read_picture(path)), paths))
            cached = [_is_cached(store.get(key)) for key in chunk]
            pictures = zip(paths, chunk, cached, strict=True)
            missing = [(path, key) for path, key, is_cached in pictures if not is_cached]
            progress(sum(cached))
            store.put(_counted(workers.embed(missing), progress))
            keys.extend(chunk)
            reused += sum(cached)
    return keys, reused


def _is_cached(found: EmbeddedFaces | None) -> bool:
    """Whether a result of the cache holds: later versions of the program read more pictures."""
    return found is not None and found.reason != UNREADABLE


def _counted(
    results: Iterator[tuple[bytes, EmbeddedFaces]], progress: ProgressCallback
) -> Iterator[tuple[bytes, EmbeddedFaces]]:
    for result in results:
        progress(1)
        yield result


def _rows(
    samples: Samples, index: int, split_name: str, found: EmbeddedFaces
) -> Iterator[FeatureRow]:
    labels = tuple(column[index] for column in samples.labels.values())
    for face, (face_px, views) in enumerate(zip(found.face_px, found.embeddings, strict=True)):
        for view, embedding in enumerate(views):
            yield FeatureRow(
                file=printable(samples.files[index]),
                face=face,
                mirrored=view == 1,
                identity=samples.identities[index],
                split=split_name,
                face_px=float(face_px),
                embedding=embedding,
                labels=labels,
            )


def _skipped_csv(skipped: Sequence[SkippedPicture]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "reason"])
    writer.writerows((text_cell(printable(each.file)), text_cell(each.reason)) for each in skipped)
    return text.getvalue()
