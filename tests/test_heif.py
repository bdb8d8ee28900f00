"""HEIF pictures: of one piece, of tiles, turned, cut short, and made to do harm."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.faces import Image
from models.pictures.files import decode_picture
from models.pictures.heif import read_heif
from models.pictures.heif_items import HeifError
from models.pictures.tone_mapping import tone_mapping


@dataclass
class _Item:
    """An item of a file that a test writes."""

    kind: bytes
    content: bytes
    properties: list[bytes] = field(default_factory=list)
    parts: Sequence[int] = ()
    alpha_of: int = 0


def _box(kind: bytes, content: bytes, version: int | None = None) -> bytes:
    head = b"" if version is None else struct.pack(">I", version << 24)
    return struct.pack(">I4s", 8 + len(head) + len(content), kind) + head + content


def _heif(items: Sequence[_Item], primary: int = 1) -> bytes:
    """A file of these items, which are numbered from 1; grids and identities lie in `idat`."""
    entries = b"".join(
        _box(b"infe", struct.pack(">HH4s", number, 0, item.kind) + b"\0", 2)
        for number, item in enumerate(items, 1)
    )
    references = b"".join(
        _box(b"dimg", struct.pack(f">HH{len(item.parts)}H", number, len(item.parts), *item.parts))
        for number, item in enumerate(items, 1)
        if item.parts
    ) + b"".join(
        _box(b"auxl", struct.pack(">HHH", number, 1, item.alpha_of))
        for number, item in enumerate(items, 1)
        if item.alpha_of
    )
    known = [each for item in items for each in item.properties]
    associations, place = b"", 0
    for number, item in enumerate(items, 1):
        places = range(place + 1, place + 1 + len(item.properties))
        associations += struct.pack(">HB", number, len(places)) + bytes(0x80 | p for p in places)
        place += len(item.properties)
    properties = _box(b"ipco", b"".join(known))
    properties += _box(b"ipma", struct.pack(">I", len(items)) + associations, 0)
    parts = [
        _box(b"pitm", struct.pack(">H", primary), 0),
        _box(b"iinf", struct.pack(">H", len(items)) + entries, 0),
        _box(b"iref", references, 0),
        _box(b"iprp", properties),
        _box(b"idat", b"".join(item.content for item in items if item.parts)),
    ]
    brand = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    place_size = 16
    iloc_size = 16 + len(items) * place_size
    meta_size = 12 + sum(map(len, parts)) + iloc_size
    at_file, at_meta, places = len(brand) + meta_size + 8, 0, b""
    for number, item in enumerate(items, 1):
        at = at_meta if item.parts else at_file
        places += struct.pack(">HHHHII", number, bool(item.parts), 0, 1, at, len(item.content))
        if item.parts:
            at_meta += len(item.content)
        else:
            at_file += len(item.content)
    parts.append(_box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + places, 1))
    data = b"".join(item.content for item in items if not item.parts)
    return brand + _box(b"meta", b"".join(parts), 0) + _box(b"mdat", data)


def _coded(picture: Image, *properties: bytes) -> _Item:
    """A picture as an item that HEVC codes."""
    encoder = cast(av.VideoCodecContext, av.CodecContext.create("libx265", "w"))
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv444p", Fraction(1)
    encoder.options = {"x265-params": "log-level=none:qp=4"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    stream = b"".join(map(bytes, (*encoder.encode(frame), *encoder.encode(None))))
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
    # Sequence and picture parameters stand in the box `hvcC`, all else in the data (ISO 14496-15).
    setup = [unit for unit in units if unit[0] >> 1 in (32, 33, 34)]
    data = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit not in setup)
    arrays = b"".join(struct.pack(">BHH", unit[0] >> 1, 1, len(unit)) + unit for unit in setup)
    config = b"\1" + bytes(20) + bytes([3, len(setup)]) + arrays
    return _Item(b"hvc1", data, [_box(b"hvcC", config), *properties])


def _grid(rows: int, columns: int, size_wh: tuple[int, int], parts: Sequence[int]) -> _Item:
    content = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size_wh)
    return _Item(b"grid", content, [], parts)


_PHOTO: Image = np.zeros((192, 320, 3), np.uint8)
"""A picture each part of which differs."""
_PHOTO[..., 0] = np.linspace(0, 255, 320)
_PHOTO[..., 1] = np.linspace(0, 255, 192)[:, None]
_PHOTO[:96, :160, 2] = 255

_TILES = [
    _PHOTO[top : top + 64, left : left + 64] for top in (0, 64, 128) for left in range(0, 320, 64)
]
"""It in three rows of five."""


def _is_like(picture: Image, expected: Image) -> bool:
    return picture.shape == expected.shape and np.abs(picture.astype(int) - expected).mean() < 6


def test_a_picture_of_one_piece() -> None:
    assert _is_like(read_heif(_heif([_coded(_PHOTO)])), _PHOTO)


def test_a_grid_of_tiles_is_put_together_and_cut_to_its_size() -> None:
    items = [_grid(3, 5, (310, 180), range(2, 17)), *map(_coded, _TILES)]
    items.append(_coded(_PHOTO[:64, :64]))  # a thumbnail, which is no part
    assert _is_like(read_heif(_heif(items)), _PHOTO[:180, :310])
    assert decode_picture(_heif(items)) is not None


@pytest.mark.parametrize("turns", range(4))
def test_it_is_turned_as_the_camera_was_held(turns: int) -> None:
    data = _heif([_coded(_PHOTO, _box(b"irot", bytes([turns])))])
    assert _is_like(read_heif(data), np.rot90(_PHOTO, turns))


@pytest.mark.parametrize(("mode", "code"), [(0, 0), (1, 1)])
def test_it_is_mirrored(mode: int, code: int) -> None:
    data = _heif([_coded(_PHOTO, _box(b"imir", bytes([mode])))])
    assert _is_like(read_heif(data), cv2.flip(_PHOTO, code))


def test_it_is_cropped() -> None:
    crop = struct.pack(">8i", 200, 1, 100, 1, -20, 1, 6, 1)
    data = _heif([_coded(_PHOTO, _box(b"clap", crop))])
    assert _is_like(read_heif(data), _PHOTO[52:152, 40:240])


def test_another_item_turned_otherwise() -> None:
    turned = _Item(b"iden", b"\0", [_box(b"irot", b"\1")], [2])
    assert _is_like(read_heif(_heif([turned, _coded(_PHOTO)])), np.rot90(_PHOTO))


@pytest.mark.parametrize(
    "items",
    [
        [_Item(b"iden", b"\0", [], [1])],
        [_grid(1, 1, (64, 64), [1])],
        [_grid(2, 2, (64, 64), [2])],
        [_grid(1, 1, (640, 640), [2]), _coded(_TILES[0])],
        [_grid(250, 255, (64, 64), [2] * 63750), _coded(_TILES[0])],
        [_Item(b"hvc1", b"\0\0\0\1x", [])],
        [_Item(b"iovl", b"", [])],
        [_Item(b"what", b"", [])],
        [_coded(_PHOTO, _box(b"clap", struct.pack(">8i", 9000, 1, 100, 1, 0, 1, 0, 1)))],
        [_coded(_PHOTO, _box(b"clap", struct.pack(">8i", 90, 0, 100, 1, 0, 1, 0, 1)))],
    ],
)
def test_what_cannot_be_put_together(items: list[_Item]) -> None:
    with pytest.raises(HeifError):
        read_heif(_heif(items))
    assert decode_picture(_heif(items)) is None


def test_a_file_that_is_cut_anywhere() -> None:
    data = _heif([_grid(1, 2, (128, 64), [2, 3]), _coded(_TILES[0]), _coded(_TILES[7])])
    for end in (*range(8, 700, 7), len(data) - 1):
        assert decode_picture(data[:end]) is None


def test_bytes_changed_anywhere_do_no_harm() -> None:
    data = _heif([_grid(1, 2, (128, 64), [2, 3]), _coded(_TILES[0]), _coded(_TILES[7])])
    random = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(data)
        for place in random.integers(8, 700, size=3):
            changed[place] = random.integers(256)
        picture = decode_picture(bytes(changed))
        assert picture is None or picture.ndim == 3


_ALPHA = _box(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0", 0)


def _alpha(shares: NDArray[np.uint8], *properties: bytes) -> _Item:
    item = _coded(shares[..., None].repeat(3, axis=2), _ALPHA, *properties)
    item.alpha_of = 1
    return item


def test_what_is_wholly_transparent_is_not_shown() -> None:
    shares = np.full((192, 320), 255, np.uint8)
    shares[:, 160:] = 0
    shown = read_heif(_heif([_coded(_PHOTO), _alpha(shares)]))
    assert _is_like(shown[:, :160], _PHOTO[:, :160])
    assert np.abs(shown[:, 160:].astype(int) - 128).max() < 4


def test_alpha_is_turned_with_its_picture() -> None:
    shares = np.full((192, 320), 255, np.uint8)
    shares[:96] = 0
    turn = _box(b"irot", b"\1")
    shown = read_heif(_heif([_coded(_PHOTO, turn), _alpha(shares, turn)]))
    expected = _PHOTO.copy()
    expected[:96] = 128
    assert _is_like(shown, np.rot90(expected))


def test_another_auxiliary_picture_is_no_alpha() -> None:
    depth = _coded(_PHOTO, _box(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0", 0))
    depth.alpha_of = 1
    assert _is_like(read_heif(_heif([_coded(_PHOTO), depth])), _PHOTO)


def test_alpha_of_another_size() -> None:
    with pytest.raises(HeifError, match="alpha is of another size"):
        read_heif(_heif([_coded(_PHOTO), _alpha(np.zeros((64, 64), np.uint8))]))


def _said(primaries: int, transfer: int) -> bytes:
    return _box(b"colr", b"nclx" + struct.pack(">HHHB", primaries, transfer, 1, 0))


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_becomes_bt709_in_tiles_too(transfer: int) -> None:
    mapping = tone_mapping(9, transfer)
    assert mapping is not None
    deep = np.ascontiguousarray(_PHOTO[..., ::-1]) * np.uint16(257)
    expected = np.rint(mapping.convert(deep)[..., ::-1] / 257).astype(np.uint8)
    assert not _is_like(_PHOTO, expected)
    shown = read_heif(_heif([_coded(_PHOTO, _said(9, transfer))]))
    assert _is_like(shown, expected)
    grid = _grid(3, 5, (320, 192), range(2, 17))
    grid.properties.append(_said(9, transfer))
    assert _is_like(read_heif(_heif([grid, *map(_coded, _TILES)])), expected)


@pytest.mark.parametrize("codes", [(1, 13), (2, 2), (1, 1)])
def test_other_colours_stay(codes: tuple[int, int]) -> None:
    assert _is_like(read_heif(_heif([_coded(_PHOTO, _said(*codes))])), _PHOTO)


@pytest.mark.parametrize("name", ["phone.heic", "phone.avif"])
def test_a_real_file(name: str, shared_data: Path) -> None:
    picture = decode_picture((shared_data / "field" / name).read_bytes())
    assert picture is not None
    assert _is_like(picture, cv2.imread(str(shared_data / "field" / "face.png")))
