"""Videos that are sent to be annotated, and settings that change while a source runs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes import PATIENCE_S, write_clip

from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.page.answers import RefusedError
from stream.page.hub import Hub
from stream.page.live_annotator import LiveAnnotator
from stream.page.uploads import Upload, Uploads
from stream.session import Model
from stream.settings.layers import changed_config, load_config
from stream.sources.demo import portrait
from stream.tracks import Track


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(load_config({"overlay": {"legend": False}}, folder=Path("/"))).load()


@pytest.fixture
def uploads(model: Model) -> Iterator[Uploads]:
    with closing(asyncio.new_event_loop()) as loop, Uploads(Hub(model, loop)) as uploads:
        yield uploads


def _clip(folder: Path, frames: int = 5) -> Path:
    return write_clip(folder / "a.mp4", frames)


def _sent(uploads: Uploads, data: bytes) -> tuple[str, Upload]:
    key, upload = uploads.begin()
    upload.received.write_bytes(data)
    uploads.put(upload)
    return key, upload


def _until_done(upload: Upload) -> None:
    deadline_s = time.monotonic() + 10 * PATIENCE_S
    while upload.ended_s is None or upload.state in ("waiting", "working"):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_video_is_annotated_and_deleted(uploads: Uploads, tmp_path: Path) -> None:
    key, upload = _sent(uploads, _clip(tmp_path).read_bytes())
    _until_done(upload)
    assert upload.as_dict(key) == {"id": key, "state": "done", "progress": 1.0, "error": None}
    assert upload.annotated.exists()
    assert not upload.received.exists(), "what was sent is not kept"
    uploads.delete(key)
    assert not upload.folder.exists()
    with pytest.raises(RefusedError, match="no such video"):
        uploads.get(key)


@pytest.mark.parametrize("form", ["playlist", "concat", "text", "empty", "picture list"])
def test_what_is_no_video_or_names_other_files_is_refused(
    uploads: Uploads, tmp_path: Path, form: str
) -> None:
    clip = _clip(tmp_path)
    data = {
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {clip}\n",
        "text": "hello " * 1000,
        "empty": "",
        "picture list": f'<?xml version="1.0"?><MPD><BaseURL>{clip}</BaseURL></MPD>',
    }[form]
    _, upload = _sent(uploads, data.encode())
    _until_done(upload)
    assert upload.state == "failed"
    assert upload.error is not None and "send MP4" in upload.error
    assert str(tmp_path) not in upload.error and str(upload.folder) not in upload.error


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    hasty = load_config({"serve": {"max_upload_s": 1.0}}, folder=Path("/"))
    clip = write_clip(tmp_path / "long.mp4", 900, (960, 540))
    with closing(asyncio.new_event_loop()) as loop:
        hub = Hub(Model(hasty).load(), loop)
        with Uploads(hub) as uploads:
            _, upload = _sent(uploads, clip.read_bytes())
            _until_done(upload)
    assert upload.state == "failed"
    assert upload.error == "it was not done within 1 s: send a shorter one"


def test_all_is_deleted_at_the_end(model: Model, tmp_path: Path) -> None:
    with closing(asyncio.new_event_loop()) as loop, Uploads(Hub(model, loop)) as uploads:
        _, upload = _sent(uploads, _clip(tmp_path, 60).read_bytes())
        folder = upload.folder.parent
        assert folder.exists()
    assert not folder.exists()


def test_there_are_never_too_many(uploads: Uploads) -> None:
    keys = [uploads.begin()[0] for _ in range(8)]
    with pytest.raises(RefusedError, match="too many"):
        uploads.begin()
    uploads.delete(keys[0])
    assert uploads.begin()[0] not in keys


def _annotate(annotator: LiveAnnotator, count: int, begin: int = 0) -> tuple[Track, ...]:
    image, tracks = portrait(), tuple[Track, ...]()
    for index in range(begin, begin + count):
        tracks = annotator.annotate(Frame(image, index, index / 10, time.monotonic()))
    return tracks


def test_another_threshold_applies_to_the_faces_in_view(model: Model) -> None:
    newest = [model]
    info = SourceInfo("page", "stream", (512, 512), 10.0)
    annotator = LiveAnnotator(lambda: newest[-1], info, Controls(), RunReport())
    before = _annotate(annotator, 4)
    assert before[0].labels["gender"].text == "Female"
    config = changed_config(model.config, {"labels.min_confidence": 1.0})
    newest.append(model.changed(config))
    after = _annotate(annotator, 1, 4)
    assert after[0].track_id == before[0].track_id
    assert after[0].labels["gender"].text is None
    groups = {"labels.min_confidence": 0.1, "labels.groups": {"race": {"Any": ["White", "Black"]}}}
    newest.append(model.changed(changed_config(model.config, groups)))
    assert _annotate(annotator, 1, 5)[0].labels["race"].text in ("Any", "Latino_Hispanic")


def test_by_another_detector_faces_are_found_anew_as_other_tracks(model: Model) -> None:
    newest = [model]
    info = SourceInfo("page", "stream", (512, 512), 10.0)
    annotator = LiveAnnotator(lambda: newest[-1], info, Controls(), RunReport())
    before = _annotate(annotator, 4)
    newest.append(model.changed(changed_config(model.config, {"detection.detector": "hog"})))
    after = _annotate(annotator, 4, 4)
    assert len(before) == len(after) == 1
    assert after[0].track_id > before[0].track_id
