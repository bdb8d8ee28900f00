"""HEIF pictures: HEIC as phones take them, and AVIF.

FFmpeg decodes what is coded in such a file, but hands out the tiles of a picture one by one. So the
boxes that say how a picture is put together (ISO/IEC 23008-12) are read here:

1. A coded item is decoded.
2. A grid is made of its tiles, in rows, and cut to its size.
3. An identity is another item, turned otherwise.

Each is then cropped, turned and mirrored as its properties say. Overlays are not read.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import cast

import numpy as np

from models.faces import Image
from models.picture_size import MAX_MEGAPIXELS

_DECODERS = {b"hvc1": "hevc", b"hev1": "hevc", b"av01": "libdav1d", b"avc1": "h264"}
"""FFmpeg's decoder for each kind of coded item."""

_DECODER_SETUPS = (b"hvcC", b"av1C", b"avcC")
"""Properties that a decoder is set up with."""

_MAX_DEPTH = 4
"""How deep items may be made of items; a file that names itself has no end."""


class HeifError(ValueError):
    """The file is no HEIF picture, is cut short, or is made in a way that is not read."""


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


class _Box:
    """A box or an item's data, read from its beginning on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, size: int) -> int:
        """The next number of that many bytes; one of no bytes is 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        """The next bytes."""
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise HeifError("the file is cut short")
        self._at += size
        return taken

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(len(self._data) - self._at)

    def boxes(self) -> Iterator[tuple[bytes, "_Box"]]:
        """The boxes that follow, each with its kind."""
        while len(self._data) - self._at >= 8:
            size, kind, head = self.number(4), self.take(4), 8
            if size == 1:
                size, head = self.number(8), 16
            elif size == 0:  # to the end
                size = len(self._data) - self._at + head
            yield kind, _Box(self.take(max(size - head, 0)))


class _Heif:
    """The items of a file."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = data
        self._max_pixels = max_pixels
        meta = next((box for kind, box in _Box(data).boxes() if kind == b"meta"), None)
        if meta is None:
            raise HeifError("the file has no picture")
        meta.take(4)
        self._boxes = {kind: box.rest() for kind, box in meta.boxes()}

    def picture(self) -> Image:
        """The primary picture."""
        box = _Box(self._boxes[b"pitm"])
        return self._picture(box.number(2 if _version(box) == 0 else 4), 0)

    def _picture(self, item: int, depth: int) -> Image:
        """An item, upright."""
        if depth > _MAX_DEPTH:
            raise HeifError("its items are made of one another")
        kind = self._kinds[item]
        if kind in _DECODERS:
            picture = self._decoded(item, _DECODERS[kind])
        elif kind == b"grid":
            picture = self._grid(item, depth)
        elif kind == b"iden":
            picture = self._picture(self._parts[item][0], depth + 1)
        else:
            raise HeifError(f"items of the kind {kind!r} are not read")
        for name, content in self._properties.get(item, ()):
            picture = _transformed(picture, name, _Box(content))
        return picture

    def _decoded(self, item: int, decoder: str) -> Image:
        import av

        setups = (each for name, each in self._properties.get(item, ()) if name in _DECODER_SETUPS)
        context = cast(av.VideoCodecContext, av.CodecContext.create(decoder, "r"))
        context.extradata = next(setups, None)
        context.thread_count = 1
        context.options = {"max_pixels": str(self._max_pixels)}  # whatever the boxes say
        frames = [*context.decode(av.Packet(self._content(item))), *context.decode(None)]
        if not frames:
            raise HeifError("a part of it holds no picture")
        return frames[0].to_ndarray(format="bgr24").astype(np.uint8, copy=False)

    def _grid(self, item: int, depth: int) -> Image:
        box = _Box(self._content(item))
        box.take(1)
        size = 4 if box.number(1) & 1 else 2
        rows, columns = box.number(1) + 1, box.number(1) + 1
        width, height = box.number(size), box.number(size)
        parts = self._parts[item]
        if len(parts) != rows * columns:
            raise HeifError(f"a grid of {rows} × {columns} tiles has {len(parts)}")
        first = self._picture(parts[0], depth + 1)
        tile_height, tile_width = first.shape[:2]
        if rows * tile_height < height or columns * tile_width < width:
            raise HeifError("its tiles do not fill it")
        if rows * tile_height * columns * tile_width > self._max_pixels:
            raise HeifError(f"it has more than {self._max_pixels} pixels")
        whole = np.zeros((rows * tile_height, columns * tile_width, 3), np.uint8)
        for number, part in enumerate(parts):
            tile = first if number == 0 else self._picture(part, depth + 1)
            row, column = divmod(number, columns)
            top, left = row * tile_height, column * tile_width
            whole[top : top + tile_height, left : left + tile_width] = tile
        return whole[:height, :width]

    def _content(self, item: int) -> bytes:
        """The bytes of an item."""
        is_in_meta, extents = self._places[item]
        data = self._boxes[b"idat"] if is_in_meta else self._data
        content = b""
        for start, size in extents:
            size = size or len(data) - start
            if start + size > len(data) or len(content) + size > len(data):
                raise HeifError("the file is cut short, or its parts overlap")
            content += data[start : start + size]
        return content

    @cached_property
    def _kinds(self) -> dict[int, bytes]:
        """The kind of each item."""
        box = _Box(self._boxes[b"iinf"])
        box.take(2 if _version(box) == 0 else 4)
        kinds = {}
        for _, entry in box.boxes():
            item = entry.number(2 if _version(entry) < 3 else 4)
            entry.take(2)
            kinds[item] = entry.take(4)
        return kinds

    @cached_property
    def _parts(self) -> dict[int, list[int]]:
        """The items that each item is made of."""
        box = _Box(self._boxes[b"iref"])
        size = 2 if _version(box) == 0 else 4
        parts = {}
        for kind, entry in box.boxes():
            if kind == b"dimg":
                item = entry.number(size)
                parts[item] = [entry.number(size) for _ in range(entry.number(2))]
        return parts

    @cached_property
    def _properties(self) -> dict[int, list[tuple[bytes, bytes]]]:
        """The properties of each item, each with its kind, in the order in which they count."""
        known: list[tuple[bytes, bytes]] = []
        named: dict[int, list[tuple[bytes, bytes]]] = {}
        for kind, box in _Box(self._boxes[b"iprp"]).boxes():
            if kind == b"ipco":
                known = [(name, each.rest()) for name, each in box.boxes()]
            elif kind == b"ipma":
                head = box.number(4)
                id_size, size = (2 if head >> 24 == 0 else 4), (2 if head & 1 else 1)
                essential = 1 << (8 * size - 1)
                for _ in range(box.number(4)):
                    item = box.number(id_size)
                    places = [box.number(size) & ~essential for _ in range(box.number(1))]
                    named[item] = [known[place - 1] for place in places if place]
        return named

    @cached_property
    def _places(self) -> dict[int, tuple[bool, list[tuple[int, int]]]]:
        """Where each item lies: whether in the box itself, and the beginning and size of parts."""
        box = _Box(self._boxes[b"iloc"])
        version = _version(box)
        offset_size, length_size = divmod(box.number(1), 16)
        base_size, index_size = divmod(box.number(1), 16)
        places = {}
        for _ in range(box.number(2 if version < 2 else 4)):
            item = box.number(2 if version < 2 else 4)
            is_in_meta = version > 0 and box.number(2) & 15 == 1
            box.take(2)
            base = box.number(base_size)
            extents = []
            for _ in range(box.number(2)):
                box.take(index_size if version > 0 else 0)
                extents.append((base + box.number(offset_size), box.number(length_size)))
            places[item] = is_in_meta, extents
        return places


def _version(box: _Box) -> int:
    """The version of a box, whose flags are passed over."""
    return box.number(4) >> 24


def _transformed(picture: Image, name: bytes, box: _Box) -> Image:
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


def _fraction(box: _Box) -> float:
    """A signed number over another."""
    upper, lower = (int.from_bytes(box.take(4), "big", signed=True) for _ in range(2))
    if not lower:
        raise HeifError("a fraction has no denominator")
    return upper / lower
