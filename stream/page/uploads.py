"""Videos that are sent to the page to be annotated, one after another, and then deleted."""

import secrets
import shutil
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, Self

import av

from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError, SourceError
from stream.page.answers import RefusedError
from stream.page.hub import Hub
from stream.run import run
from stream.sinks import Outputs
from stream.sources import open_source
from stream.summary import Summary

_MOST_UPLOADS = 8
"""Videos that are kept at the same time, done or not; each takes room on the disk."""

_KEPT_S = 600.0
"""Time after which a video that is done is deleted, s."""

_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,ogg,flv,gif,asf"
"""FFmpeg's names of the containers that are taken; none of them names other files."""

State = Literal["waiting", "working", "done", "failed"]
"""What becomes of an upload."""


@dataclass(slots=True, eq=False)
class Upload:
    """A video that was sent.

    Attributes:
        folder: of its own.
        state: what becomes of it.
        error: why it failed.
        summary: what annotating it has come to.
        frame_count: how many frames it has, as far as it is known.
        controls: ends it.
        ended_s: when it was done, by the monotonic clock.
    """

    folder: Path
    state: State = "waiting"
    error: str | None = None
    summary: Summary = field(default_factory=lambda: Summary(RunReport()))
    frame_count: int | None = None
    controls: Controls = field(default_factory=Controls)
    ended_s: float | None = None

    @property
    def received(self) -> Path:
        """Where it is written as it was sent."""
        return self.folder / "received"

    @property
    def annotated(self) -> Path:
        """Where it is written annotated."""
        return self.folder / "annotated.mp4"

    def as_dict(self, key: str) -> dict[str, Any]:
        """The upload as JSON has it, by its key."""
        share = self.summary.frames / self.frame_count if self.frame_count else 0.0
        progress = 1.0 if self.state == "done" else round(min(share, 1.0), 3)
        return {"id": key, "state": self.state, "progress": progress, "error": self.error}


class Uploads:
    """Annotates the videos that are sent, one after another, in a thread of its own.

    Use it as a context manager: leaving it deletes all of them.

    Args:
        hub: has the model and the settings.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._by_key: dict[str, Upload] = {}
        self._waiting: SimpleQueue[Upload | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="uploads")

    def __repr__(self) -> str:
        return f"Uploads({len(self._by_key)})"

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="face-stream-"))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._by_key):
            self.delete(key)
        self._waiting.put(None)
        self._thread.join()
        shutil.rmtree(self._root, ignore_errors=True)

    def begin(self) -> tuple[str, Upload]:
        """Makes a folder for a video that is sent, and a key that cannot be guessed.

        Raises:
            RefusedError: there are too many.
        """
        self._forget_old()
        with self._lock:
            if len(self._by_key) >= _MOST_UPLOADS:
                raise RefusedError(503, "too many videos are being annotated: try again later")
            key = secrets.token_urlsafe(12)
            upload = self._by_key[key] = Upload(self._root / key)
            upload.folder.mkdir()
        return key, upload

    def put(self, upload: Upload) -> None:
        """A video has been sent: it is annotated when its turn comes."""
        self._waiting.put(upload)

    def get(self, key: str) -> Upload:
        """The upload of a key.

        Raises:
            RefusedError: there is none.
        """
        self._forget_old()
        with self._lock:
            upload = self._by_key.get(key)
        if upload is None:
            raise RefusedError(
                404, "there is no such video, or no more: it is kept for ten minutes"
            )
        return upload

    def delete(self, key: str) -> None:
        """Deletes a video, and ends its annotating."""
        with self._lock:
            upload = self._by_key.pop(key, None)
        if upload is not None:
            upload.controls.quit_requested = True
            if upload.state != "working":  # else it is deleted as soon as that has ended
                shutil.rmtree(upload.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        oldest_s = time.monotonic() - _KEPT_S
        with self._lock:
            old = [k for k, each in self._by_key.items() if (each.ended_s or oldest_s) < oldest_s]
        for key in old:
            self.delete(key)

    def _work(self) -> None:
        while (upload := self._waiting.get()) is not None:
            if upload.controls.quit_requested:
                continue
            upload.state = "working"
            upload.error = self._annotate(upload)
            upload.received.unlink(missing_ok=True)
            upload.ended_s = time.monotonic()
            upload.state = "failed" if upload.error else "done"
            if upload.folder.name not in self._by_key:
                shutil.rmtree(upload.folder, ignore_errors=True)

    def _annotate(self, upload: Upload) -> str | None:
        """Annotates a video; why that failed, or None."""
        config, limit_s = self._hub.model.config, self._hub.model.config.serve.max_upload_s
        upload.controls.blur = config.overlay.blur
        timer = threading.Timer(limit_s, _end, [upload.controls])
        with ExitStack() as stack:
            timer.start()
            stack.callback(timer.join)
            stack.callback(timer.cancel)
            try:
                _check_container(upload.received)
                source = open_source(upload.received, config)
                upload.frame_count = source.info.frame_count
                run(
                    source,
                    config,
                    Outputs(save=upload.annotated),
                    load=self._hub.model.annotator,
                    controls=upload.controls,
                    summary=upload.summary,
                )
            except (SourceError, SinkError, ConfigError, ModelError, OSError) as error:
                return str(error).replace(str(upload.received), "the video")
        if upload.controls.quit_requested:
            return f"it was not done within {limit_s:g} s: send a shorter one"
        return "; ".join(upload.summary.failures) or None


def _end(controls: Controls) -> None:
    controls.quit_requested = True


def _check_container(path: Path) -> None:
    """Checks that a file is a video that names no other files.

    Raises:
        SourceError: it is none.
    """
    try:
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        with av.open(f"file:{path}", options=options) as container:
            if container.streams.video:
                return
    except (av.error.FFmpegError, OSError):
        pass
    raise SourceError("that is no video, or of a kind that is not taken: send MP4, MKV or WebM")
