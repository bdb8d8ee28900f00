"""Pictures: one, a folder, a pattern."""

import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import CORNERS, SIZE_WH, number_of, numbered

from models.pictures.files import PICTURE_SUFFIXES
from stream.errors import SourceError
from stream.sources import open_source
from stream.sources.pictures import PictureSource, natural_order


def test_natural_order() -> None:
    names = [
        "b2/1.png",
        "B10/1.png",
        "a/10.png",
        "a/9.png",
        "A/1.png",
        "a/x.png",
        "2.png",
        "10.png",
    ]
    assert [str(path) for path in sorted(map(Path, names), key=natural_order)] == [
        *("2.png", "10.png", "A/1.png", "a/9.png", "a/10.png", "a/x.png", "b2/1.png", "B10/1.png")
    ]


def test_a_folder_and_what_lies_below_it(tmp_path: Path) -> None:
    for number, name in enumerate(["1.png", "2.jpg", "10.webp", "sub/3.bmp", "sub/4.TIFF"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), numbered(number))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path))
    assert source.info.frame_count == 5
    assert [number_of(frame.image) for frame in source.frames()] == [0, 1, 2, 3, 4]


def test_a_pattern(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), numbered(0))

    def found(pattern: str) -> list[str]:
        frames = open_source(str(tmp_path / pattern)).frames()
        return [str(frame.path.relative_to(tmp_path)) for frame in frames if frame.path]

    assert found("*/1.*") == ["a/1.png", "b/1.jpg", "b/1.png"]
    assert found("**/*.png") == ["a/1.png", "a/2.png", "b/1.png"]
    assert found("[b]/*.png") == ["b/1.png"]


_ENCODERS = {".jfif": ".jpg", ".mpo": ".jpg", ".dib": ".bmp"}
"""Endings by which OpenCV is asked to write what it knows by other names."""

_WRITTEN = sorted(PICTURE_SUFFIXES - {".heic", ".heif", ".hif"})
"""Endings of all kinds of pictures but those that only phones write."""


def _encoded(suffix: str, number: int = 0b10100101) -> bytes:
    picture = numbered(number)
    if suffix in (".pgm", ".pbm"):
        picture = picture[..., 0]
    return cv2.imencode(_ENCODERS.get(suffix, suffix), picture)[1].tobytes()


@pytest.mark.parametrize("suffix", _WRITTEN)
def test_each_kind_of_picture(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(_encoded(suffix))
    for uri in (tmp_path, tmp_path / f"a{suffix}"):
        source = open_source(str(uri))
        assert source.info.kind == "pictures"
        (frame,) = source.frames()
        assert frame.size_wh == SIZE_WH
        assert suffix == ".pbm" or number_of(frame.image) == 0b10100101


@pytest.mark.parametrize("suffix", _WRITTEN)
@pytest.mark.parametrize("name", ["photo", "photo.dat", "photo.mp4", "photo.jpg_large", "a.1"])
def test_a_picture_alone_is_one_whatever_its_ending(suffix: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(_encoded(suffix))
    source = open_source(str(tmp_path / name))
    assert source.info.kind == "pictures"
    assert [frame.size_wh for frame in source.frames()] == [SIZE_WH]


@pytest.mark.parametrize("name", ["clip.mjpeg", "clip.jpg_stream", "clip"])
def test_pictures_one_after_the_other_are_a_video(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"".join(_encoded(".jpg", number) for number in range(3)))
    source = open_source(str(tmp_path / name))
    assert source.info.kind == "video"
    source.close()


def test_a_gif_that_moves_is_a_video_alone_and_its_first_picture_in_a_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    animation = cv2.Animation()
    animation.frames = [numbered(number) for number in (5, 6, 7)]
    animation.durations = [100, 100, 100]
    cv2.imwriteanimation(str(tmp_path / "a.gif"), animation)
    source = open_source(str(tmp_path / "a.gif"))
    assert source.info.kind == "video"
    source.close()
    (frame,) = open_source(str(tmp_path)).frames()
    assert number_of(frame.image) == 5
    moving = tmp_path / "a.gif"
    assert caplog.messages == [f"{moving} moves: its first picture is taken; named alone, all are"]


@pytest.mark.parametrize("name", ["phone.heic", "phone.avif"])
def test_what_phones_write(name: str, shared_data: Path) -> None:
    source = open_source(str(shared_data / "field" / name))
    assert source.info.kind == "pictures"
    assert [frame.size_wh for frame in source.frames()] == [(270, 480)]


def test_what_a_folder_holds_beside_pictures_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), numbered(1))
    for name in ("1.nef", "2.NEF", "clip.mp4", "notes.txt", ".hidden.nef"):
        (tmp_path / name).write_bytes(b"anything")
    (tmp_path / "copy.png.bak").write_bytes((tmp_path / "a.png").read_bytes())
    source = open_source(str(tmp_path))
    assert isinstance(source, PictureSource)
    assert source.info.skipped == {".nef": 2, ".mp4": 1, ".bak": 1}
    assert caplog.messages == [
        f"{tmp_path}: left out, of kinds that are not read: 2 .nef, 1 .mp4, 1 .bak"
    ]
    (tmp_path / "a.png").unlink()
    with pytest.raises(SourceError, match=r"there; 2 \.nef, 1 \.mp4, 1 \.bak left out: .*\*\.mp4"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("shape", [(64, 96), (64, 96, 4), (1, 1, 3), (1, 300, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_transparent_deep_and_tiny_pictures_are_bgr_too(
    shape: tuple[int, ...], dtype: type[np.unsignedinteger], tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full(shape, np.iinfo(dtype).max, dtype=dtype))
    (frame,) = open_source(str(tmp_path / "a.png")).frames()
    assert (frame.image.shape, frame.image.dtype) == ((*shape[:2], 3), np.uint8)
    assert (frame.image == 255).all()


@pytest.mark.parametrize(
    "name", ["é 日本.png", "a b.png", "100%d.png", "-x.PNG", "[1].png", "caf\udce9.png"]
)
def test_pictures_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("plain.png", numbered(3))
    Path("plain.png").rename(name)
    for uri in (name, "."):
        assert [number_of(frame.image) for frame in open_source(uri).frames()] == [3]


def _bomb() -> bytes:
    """A PNG that says it has ten thousand million pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + bytes(50)


def _left_out(paths: Iterable[Path]) -> list[str]:
    """What is logged of pictures that cannot be read."""
    return [f"{path} cannot be read as a picture: left out" for path in paths]


def test_a_picture_that_cannot_be_read_is_named_once_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"0.png": b"not a picture", "2.png": b"", "4.png": _bomb()}
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
    for number in (1, 3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), numbered(number))
    (tmp_path / "5.png").mkdir()
    source = open_source(f"{tmp_path}/*.png")
    assert source.info.frame_count == 6
    assert source.info.size_wh == SIZE_WH
    frames = list(source.frames())
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(1, 1), (3, 3)]
    first, second, bomb, last = caplog.messages
    assert [first, second, last] == _left_out(tmp_path / f"{number}.png" for number in (0, 2, 5))
    assert bomb == (
        f"{tmp_path / '4.png'} has 100000 × 100000 px, more than 250 megapixels "
        "(source.max_megapixels): left out"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="has other devices")
def test_a_pipe_or_an_endless_file_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "0.png")
    (tmp_path / "1.png").symlink_to("/dev/zero")
    cv2.imwrite(str(tmp_path / "2.png"), numbered(2))
    frames = list(open_source(str(tmp_path)).frames())
    assert [number_of(frame.image) for frame in frames] == [2]
    assert caplog.messages == _left_out([tmp_path / "0.png", tmp_path / "1.png"])


_JPEG = cv2.imencode(".jpg", numbered(5))[1].tobytes()
_PROGRESSIVE = cv2.imencode(".jpg", numbered(5), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()


def _with_thumbnail(jpeg: bytes) -> bytes:
    """A small picture, with an end mark of its own, in a segment at the beginning."""
    thumbnail = b"Exif\0\0" + cv2.imencode(".jpg", numbered(1, (16, 16)))[1].tobytes()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + jpeg[2:]


@pytest.fixture(
    params=[_JPEG, _PROGRESSIVE, _with_thumbnail(_JPEG)], ids=["plain", "progressive", "thumbnail"]
)
def jpeg(request: pytest.FixtureRequest) -> bytes:
    return bytes(request.param)


@pytest.mark.parametrize(
    "appended", [b"", bytes(5000), b"\0\0\0\x18ftypmp42" + 700 * b"\1\xff\xd8"]
)
def test_what_follows_a_photo_does_not_matter(jpeg: bytes, appended: bytes, tmp_path: Path) -> None:
    """A motion photo is a JPEG and then a video."""
    (tmp_path / "photo.jpg").write_bytes(jpeg + appended)
    (each,) = open_source(str(tmp_path / "photo.jpg")).frames()
    assert each.image.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    assert number_of(each.image) == 5


def test_a_photo_that_is_cut_anywhere_is_named_and_left_out(
    jpeg: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0.jpg").write_bytes(jpeg)
    ends = sorted({*range(2, len(jpeg), 53), *range(len(jpeg) - 3, len(jpeg))})
    for end in ends:
        (tmp_path / f"{end}.jpg").write_bytes(jpeg[:end])
    source = open_source(str(tmp_path))
    assert [each.path.name for each in source.frames() if each.path] == ["0.jpg"]
    assert caplog.messages == _left_out(tmp_path / f"{end}.jpg" for end in ends)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_the_camera_was_held(orientation: int, tmp_path: Path) -> None:
    encoded = cv2.imencode(".jpg", CORNERS)[1].tobytes()
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 1) + tag + bytes(4)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "photo.jpg").write_bytes(encoded[:2] + segment + encoded[2:])
    (frame,) = open_source(str(tmp_path / "photo.jpg")).frames()
    expected = {  # Exif 2.32, table of orientations: where row 0 and column 0 are shown
        1: CORNERS,
        2: cv2.flip(CORNERS, 1),
        3: cv2.rotate(CORNERS, cv2.ROTATE_180),
        4: cv2.flip(CORNERS, 0),
        5: cv2.transpose(CORNERS),
        6: cv2.rotate(CORNERS, cv2.ROTATE_90_CLOCKWISE),
        7: cv2.rotate(cv2.transpose(CORNERS), cv2.ROTATE_180),
        8: cv2.rotate(CORNERS, cv2.ROTATE_90_COUNTERCLOCKWISE),
    }[orientation]
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 12


def test_a_real_photo(photos: Path) -> None:
    source = open_source(str(photos))
    frames = list(source.frames())
    assert len(frames) == source.info.frame_count == 8


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no pictures there \(of the kinds \.avif, \.bmp, "):
        open_source(str(tmp_path))


def test_pictures_none_of_which_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(SourceError, match="not one picture there can be read"):
        open_source(str(tmp_path))


def test_pictures_are_gone_back_to_past_those_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"{number}.png"), numbered(number))
    (tmp_path / "2.png").write_bytes(b"spoilt")
    source = open_source(str(tmp_path))
    assert isinstance(source, PictureSource) and source.info.seekable
    assert [number_of(each.image) for each in source.frames()] == [0, 1, 3, 4]
    for time_s, expected in ((3.0, [3, 4]), (2.0, [1, 3, 4]), (0.0, [0, 1, 3, 4]), (9.0, [4])):
        assert [number_of(each.image) for each in source.frames_from(time_s)] == expected
    assert len(caplog.messages) == source.info.skipped.total() == 1
