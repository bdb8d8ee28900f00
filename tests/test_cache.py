"""The cache of embeddings: what it kept, and files that it cannot take for one."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.errors import OutputError
from training.features.cache import EmbeddedFaces, open_cache


def _extracted(faces: int, views: int) -> EmbeddedFaces:
    values = np.arange(faces * views * 4, dtype=np.float32).reshape(faces, views, 4)
    widths = np.arange(faces * views, dtype=np.float32).reshape(faces, views)
    return EmbeddedFaces("", widths, values, widths / 8)


def test_what_was_kept_is_found_again_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "made" / "cache"
    nothing = np.zeros((0, 1), np.float32)
    none = EmbeddedFaces("no face", nothing, nothing.reshape(0, 1, 0), nothing)
    with open_cache(path) as store:
        store.put([(b"two", _extracted(2, 2)), (b"one", _extracted(1, 1)), (b"none", none)])
    with open_cache(path) as store:
        for key, expected in ((b"two", _extracted(2, 2)), (b"one", _extracted(1, 1))):
            found = store.get(key)
            assert found is not None
            assert found.reason == ""
            assert np.array_equal(found.face_px, expected.face_px)
            assert np.array_equal(found.sharpness, expected.sharpness)
            assert np.array_equal(found.embeddings, expected.embeddings)
        skipped = store.get(b"none")
        assert skipped is not None
        assert (skipped.reason, len(skipped.face_px)) == ("no face", 0)
        assert store.get(b"other") is None


def test_a_later_result_replaces_an_earlier_one(tmp_path: Path) -> None:
    with open_cache(tmp_path / "cache") as store:
        store.put([(b"key", _extracted(1, 1))])
        store.put([(b"key", _extracted(2, 1))])
        found = store.get(b"key")
    assert found is not None
    assert len(found.face_px) == 2


def test_a_cache_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    with open_cache(path) as store:
        store.put([(b"key", _extracted(1, 1))])
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 5")
    other.close()
    before = path.read_bytes()
    with (
        pytest.raises(OutputError, match="cache is of another version of this program: delete it"),
        open_cache(path),
    ):
        pytest.fail("it was opened")
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [1, 2, 3])
def test_what_an_earlier_version_kept_is_embedded_again(tmp_path: Path, version: int) -> None:
    path = tmp_path / "cache"
    with open_cache(path) as store:
        store.put([(b"old", _extracted(1, 1))])
    other = sqlite3.connect(path)
    other.execute("ALTER TABLE pictures DROP COLUMN sharpness")
    other.execute(f"PRAGMA user_version = {version}")
    other.close()
    with open_cache(path) as store:
        assert store.get(b"old") is None
        store.put([(b"new", replace(_extracted(1, 1), picture_hash=2**64 - 1))])
    with open_cache(path) as store:
        found = store.get(b"new")
        assert found is not None and found.picture_hash == 2**64 - 1
        assert store.get(b"old") is None
