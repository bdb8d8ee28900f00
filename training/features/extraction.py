"""Labelled pictures → a feature table: embedded in parallel, through a cache, then written."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from models.networks.graphs import CHIP_SIZE
from models.networks.runtime import available_cores
from models.program.printable import counted, printable
from training.datasets.regions import named_region
from training.datasets.samples import Samples, SkippedPicture
from training.datasets.splits import SEED, HoldOut, split
from training.errors import DatasetError
from training.features.cache import EmbeddedFaces, EmbeddingCache, open_cache
from training.features.command_line import features_command
from training.features.extractor import (
    UNREADABLE,
    Extractor,
    read_picture,
)
from training.features.leaks import Contradiction, Leak, find_contradictions, find_leaks
from training.features.picture_hash import UNKNOWN, alike_groups
from training.features.progress import ProgressCallback, no_progress
from training.features.side_files import (
    cache_path,
    duplicates_csv,
    duplicates_path,
    info_path,
    skipped_csv,
    skipped_path,
)
from training.features.table import FeatureTable, TableInfo
from training.features.table_files import FeatureRow, TableWriter, read_table, table_writer
from training.features.views import View
from training.features.workers import Threads, Workers
from training.outputs import write_whole

CHANGED = "changed while it was read"
"""Reason for which a picture is skipped: its key is not that of the embedded picture."""

MISSING = "no such file"
"""Reason for which a picture is skipped: nothing has the name that the dataset gives."""

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
        leaks: what the two halves share.
        contradictions: pictures with two labels.
    """

    pictures: int
    faces: int
    reused: int
    skipped: tuple[SkippedPicture, ...]
    leaks: tuple[Leak, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    def reasons(self) -> str:
        """How many pictures were skipped for each reason, most frequent first."""
        return _reasons(self.skipped)


def extract_features(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    *,
    hold_out: HoldOut | None = None,
    seed: int = SEED,
    cache: Path | None = None,
    workers: Workers | None = None,
    progress: ProgressCallback = no_progress,
) -> ExtractionSummary:
    """Embeds every picture and writes the table, and beside it where it comes from, and two lists:
    of skipped pictures, and of those that both halves share or that have two labels.

    A run that was killed goes on where it was when it is started again, and the table is the same
    to the byte: each picture is embedded by itself, and the table is written at the end.

    Args:
        samples: the pictures; their split is decided here, once it is known which of them have
            faces, and written into the table.
        out: the Parquet file; the files beside it are named in `side_files`.
        extractor: finds and embeds the faces.
        hold_out: the rule of the split; the dataset's own split unless given.
        seed: of the split.
        cache: the file of embeddings computed already, `cache_path(out)` unless given.
        workers: what embeds the pictures; threads of this process unless given.
        progress: is given the number of pictures done.

    Raises:
        DatasetError: no split can be made, a label's name is taken, or there is no face at all; a
            table of before is kept.
        OutputError: the disk refuses; what was computed is kept.
    """
    samples.check_names()
    with open_cache(cache or cache_path(out)) as store:
        keys, reused = _fill_cache(store, samples, extractor, workers, progress)
        usable, hashes = _found(store, keys)
        held = hold_out or HoldOut()
        splits, how = split(samples, held, seed, usable=usable, alike=alike_groups(hashes))
        info = _describe(samples, extractor, held, seed, how)
        with table_writer(out, info) as writer:
            views = extractor.settings.views
            faces, skipped = _write_faces(store, keys, samples, splits, views, writer)
            write_whole(skipped_path(out), skipped_csv(skipped))
            if not faces:
                raise DatasetError(
                    f"{samples.name}: no face to learn from in {counted(len(samples), 'picture')} "
                    f"({_reasons(skipped)}); NAME.skipped.csv beside the table lists them"
                )
    leaks, contradictions = _examine(samples, splits, np.flatnonzero(usable), hashes)
    write_whole(info_path(out), f"{info.to_json(indent=2)}\n".encode())
    write_whole(duplicates_path(out), duplicates_csv(leaks, contradictions))
    return ExtractionSummary(
        pictures=len(samples),
        faces=faces,
        reused=reused,
        skipped=tuple(skipped),
        leaks=leaks,
        contradictions=contradictions,
    )


def _found(
    store: EmbeddingCache, keys: Sequence[bytes]
) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Which pictures have faces to learn from, and their hashes, both `(n,)`."""
    usable = np.zeros(len(keys), dtype=np.bool_)
    hashes = np.full(len(keys), UNKNOWN, dtype=np.uint64)
    for index, key in enumerate(keys):
        found = store.get(key)
        if found is not None and not found.reason:
            usable[index], hashes[index] = True, found.picture_hash
    return usable, hashes


def _reasons(skipped: Sequence[SkippedPicture]) -> str:
    counts = Counter(each.reason for each in skipped).most_common()
    return ", ".join(f"{count} {why}" for why, count in counts)


def _examine(
    samples: Samples,
    splits: Sequence[str],
    rows: NDArray[np.intp],
    hashes: NDArray[np.uint64],
) -> tuple[tuple[Leak, ...], tuple[Contradiction, ...]]:
    """What the halves share, and which pictures have two labels, among these rows."""
    files, halves, identities = (
        [column[row] for row in rows] for column in (samples.files, splits, samples.identities)
    )
    labels = {name: [column[row] for row in rows] for name, column in samples.labels.items()}
    leaks = find_leaks(files, halves, identities, hashes[rows])
    return leaks, find_contradictions(files, labels, hashes[rows])


def _describe(
    samples: Samples, extractor: Extractor, hold_out: HoldOut, seed: int, how: str
) -> TableInfo:
    embedder = extractor.engine.embedder
    return TableInfo(
        dataset=samples.name,
        credit=samples.credit,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        chip_size=CHIP_SIZE,
        engine=extractor.described,
        detector=extractor.settings.detector,
        hold_out=how,
        command=features_command(samples, extractor.settings, hold_out, seed),
        attributes=tuple(samples.labels),
        flag_attributes=samples.flag_attributes,
    )


def temporary_table(
    samples: Samples, extractor: Extractor, hold_out: HoldOut, seed: int, progress: ProgressCallback
) -> FeatureTable:
    """The table of a dataset; no file of it stays on disk."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "features.parquet"
        extract_features(samples, out, extractor, hold_out=hold_out, seed=seed, progress=progress)
        return read_table(out)


def _write_faces(
    store: EmbeddingCache,
    keys: Sequence[bytes],
    samples: Samples,
    splits: Sequence[str],
    views: Sequence[View],
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
                if reason == UNREADABLE:
                    picture, _ = named_region(samples.root / samples.files[index])
                    reason = reason if os.path.exists(picture) else MISSING
                skipped.append(SkippedPicture(samples.files[index], reason))
            else:
                faces += len(found.face_px)
                rows.extend(_rows(samples, index, splits[index], views, found))
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
            if count := sum(cached):
                progress(count, known=True)
            store.put(_counted(workers.embed(missing), progress))
            keys.extend(chunk)
            reused += count
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
    samples: Samples, index: int, split_name: str, views: Sequence[View], found: EmbeddedFaces
) -> Iterator[FeatureRow]:
    labels = tuple(column[index] for column in samples.labels.values())
    faces = zip(found.face_px, found.sharpness, found.embeddings, strict=True)
    for face, by_view in enumerate(faces):
        for view, face_px, sharpness, embedding in zip(views, *by_view, strict=True):
            yield FeatureRow(
                file=printable(samples.files[index]),
                face=face,
                mirrored=view.mirrored,
                filmed=view.filmed,
                identity=samples.identities[index],
                split=split_name,
                face_px=float(face_px),
                sharpness=float(sharpness),
                embedding=embedding,
                labels=labels,
                picture_hash=found.picture_hash,
            )
