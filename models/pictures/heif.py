"""HEIF pictures: HEIC as phones take them, and AVIF.

FFmpeg decodes what is coded in such a file, but hands out the tiles of a picture one by one. So the
boxes that say how a picture is put together (ISO/IEC 23008-12) are read here:

1. A coded item is decoded.
2. A grid is made of its tiles, in rows, and cut to its size.
3. An identity is another item, turned otherwise.

Each is then cropped, turned and mirrored as its properties say. HDR becomes BT.709. A picture that
has another one for its alpha is laid over grey. Overlays are not read.
"""

from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from models.faces import Image
from models.pictures.alpha import over_grey
from models.pictures.heif_items import Box, HeifError, HeifItems
from models.pictures.size import MAX_MEGAPIXELS
from models.pictures.tone_mapping import BT709, BT2020, MOST, UNSPECIFIED, tone_mapping

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_DECODERS = {b"hvc1": "hevc", b"hev1": "hevc", b"av01": "libdav1d", b"avc1": "h264"}
"""FFmpeg's decoder for each kind of coded item."""

_SETUPS = (b"hvcC", b"av1C", b"avcC")
"""Properties that a decoder is set up with."""

_ALPHA_KINDS = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
    b"urn:mpeg:hevc:2015:auxid:1\0",
)
"""What auxiliary pictures are called that are the alpha of another one."""

_Codes: TypeAlias = tuple[int, int]
"""Codes of primaries and transfer function (ITU-T H.273)."""

_MAX_DEPTH = 4
"""How deep items may be made of items; a file that names itself has no end."""


def read_heif(data: bytes, max_megapixels: int = MAX_MEGAPIXELS) -> Image:
    """The primary picture of a file, upright.

    Args:
        data: the file's bytes.
        max_megapixels: pixels of an item or a grid at most, in millions; a small file may name one
            tile so often that memory would not do.

    Raises:
        HeifError: there is none that can be read.
    """
    import av  # takes a tenth of a second, which other pictures need not wait for

    try:
        return np.ascontiguousarray(_Heif(data, max_megapixels * 1_000_000).picture())
    except HeifError:
        raise
    except (LookupError, ValueError, av.FFmpegError) as error:
        raise HeifError(str(error)) from error


class _Heif:
    """The pictures that a file's items make."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._items = HeifItems(data)
        self._max_pixels = max_pixels

    def picture(self) -> Image:
        """The primary picture, opaque."""
        primary = self._items.primary
        picture = self._picture(primary, (UNSPECIFIED, UNSPECIFIED), 0)
        for item, others in self._items.references.get(b"auxl", {}).items():
            if primary in others and self._is_alpha(item):
                alpha = self._picture(item, (BT709, BT709), 0)[..., 0]
                if alpha.shape != picture.shape[:2]:
                    raise HeifError("its alpha is of another size")
                return over_grey(picture, alpha)
        return picture

    def _is_alpha(self, item: int) -> bool:
        kinds = (each[4:] for name, each in self._items.properties.get(item, ()) if name == b"auxC")
        return any(each.startswith(_ALPHA_KINDS) for each in kinds)

    def _picture(self, item: int, codes: _Codes, depth: int) -> Image:
        """An item, upright.

        Args:
            item: its number.
            codes: of its colours, as the item states them that it is a part of.
            depth: of how many items it is a part.
        """
        if depth > _MAX_DEPTH:
            raise HeifError("its items are made of one another")
        kind = self._items.kinds[item]
        codes = self._stated_codes(item) or codes
        if kind in _DECODERS:
            picture = self._decoded(item, codes, _DECODERS[kind])
        elif kind == b"grid":
            picture = self._grid(item, codes, depth)
        elif kind == b"iden":
            picture = self._picture(self._parts(item)[0], codes, depth + 1)
        else:
            raise HeifError(f"items of the kind {kind!r} are not read")
        for name, content in self._items.properties.get(item, ()):
            picture = _transformed(picture, name, Box(content))
        return picture

    def _parts(self, item: int) -> list[int]:
        """The items that an item is made of."""
        return self._items.references[b"dimg"][item]

    def _stated_codes(self, item: int) -> _Codes | None:
        """The codes of an item's colours, if it states them."""
        for name, content in self._items.properties.get(item, ()):
            if name == b"colr" and content.startswith(b"nclx"):
                box = Box(content[4:])
                return box.number(2), box.number(2)
        return None

    def _decoded(self, item: int, codes: _Codes, decoder: str) -> Image:
        import av

        properties = self._items.properties.get(item, ())
        context = cast(av.VideoCodecContext, av.CodecContext.create(decoder, "r"))
        context.extradata = next((each for name, each in properties if name in _SETUPS), None)
        context.thread_count = 1
        context.options = {"max_pixels": str(self._max_pixels)}  # whatever the boxes say
        packet = av.Packet(self._items.content(item))
        frames = [*context.decode(packet), *context.decode(None)]
        if not frames:
            raise HeifError("a part of it holds no picture")
        return _in_bt709(frames[0], codes)

    def _grid(self, item: int, codes: _Codes, depth: int) -> Image:
        box = Box(self._items.content(item))
        box.take(1)
        size = 4 if box.number(1) & 1 else 2
        rows, columns = box.number(1) + 1, box.number(1) + 1
        width, height = box.number(size), box.number(size)
        parts = self._parts(item)
        if len(parts) != rows * columns:
            raise HeifError(f"a grid of {rows} × {columns} tiles has {len(parts)}")
        first = self._picture(parts[0], codes, depth + 1)
        tile_height, tile_width = first.shape[:2]
        if rows * tile_height < height or columns * tile_width < width:
            raise HeifError("its tiles do not fill it")
        if rows * tile_height * columns * tile_width > self._max_pixels:
            raise HeifError(f"it has more than {self._max_pixels} pixels")
        whole = np.zeros((rows * tile_height, columns * tile_width, 3), np.uint8)
        for number, part in enumerate(parts):
            tile = first if number == 0 else self._picture(part, codes, depth + 1)
            row, column = divmod(number, columns)
            top, left = row * tile_height, column * tile_width
            whole[top : top + tile_height, left : left + tile_width] = tile
        return whole[:height, :width]


def _in_bt709(frame: "VideoFrame", codes: _Codes) -> Image:
    """A decoded picture in BGR and BT.709; it states itself those codes that are not stated."""
    primaries, transfer = codes
    mapping = tone_mapping(
        frame.color_primaries if primaries == UNSPECIFIED else primaries,
        frame.color_trc if transfer == UNSPECIFIED else transfer,
    )
    if mapping is None:
        return frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    if frame.colorspace == UNSPECIFIED:
        frame.colorspace = BT2020
    rgb = np.ascontiguousarray(frame.to_ndarray(format="rgb48le"), np.uint16)
    return np.rint(mapping.convert(rgb)[..., ::-1] * (255 / MOST)).astype(np.uint8)


def _transformed(picture: Image, name: bytes, box: Box) -> Image:
    """The picture as a property wants it; most properties want nothing."""
    if name == b"irot":
        return np.rot90(picture, box.number(1) & 3)
    if name == b"imir":
        return picture[:, ::-1] if box.number(1) & 1 else picture[::-1]
    if name == b"clap":
        height, width = picture.shape[:2]
        wide, high, right, down = (_fraction(box) for _ in range(4))
        left, top = round((width - wide) / 2 + right), round((height - high) / 2 + down)
        if left < 0 or top < 0 or left + wide > width or top + high > height:
            raise HeifError("its crop lies outside it")
        return picture[top : top + round(high), left : left + round(wide)]
    return picture


def _fraction(box: Box) -> float:
    """A signed number over another."""
    upper, lower = (int.from_bytes(box.take(4), "big", signed=True) for _ in range(2))
    if not lower:
        raise HeifError("a fraction has no denominator")
    return upper / lower
