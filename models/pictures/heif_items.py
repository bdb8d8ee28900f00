"""The items of a HEIF file: what its boxes say of them, and their bytes (ISO/IEC 23008-12)."""

from collections.abc import Iterator
from functools import cached_property


class HeifError(ValueError):
    """The file is no HEIF picture, is cut short, or is made in a way that is not read."""


class Box:
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

    def boxes(self) -> Iterator[tuple[bytes, "Box"]]:
        """The boxes that follow, each with its kind."""
        while len(self._data) - self._at >= 8:
            size, kind, head = self.number(4), self.take(4), 8
            if size == 1:
                size, head = self.number(8), 16
            elif size == 0:  # to the end
                size = len(self._data) - self._at + head
            yield kind, Box(self.take(max(size - head, 0)))


class HeifItems:
    """The items of a file, by their numbers.

    Raises:
        HeifError: the file has none.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        meta = next((box for kind, box in Box(data).boxes() if kind == b"meta"), None)
        if meta is None:
            raise HeifError("the file has no picture")
        meta.take(4)
        self._boxes = {kind: box.rest() for kind, box in meta.boxes()}

    def content(self, item: int) -> bytes:
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
    def primary(self) -> int:
        """The item that is the picture."""
        box = Box(self._boxes[b"pitm"])
        return box.number(2 if version_of(box) == 0 else 4)

    @cached_property
    def kinds(self) -> dict[int, bytes]:
        """The kind of each item."""
        box = Box(self._boxes[b"iinf"])
        box.take(2 if version_of(box) == 0 else 4)
        kinds = {}
        for _, entry in box.boxes():
            item = entry.number(2 if version_of(entry) < 3 else 4)
            entry.take(2)
            kinds[item] = entry.take(4)
        return kinds

    @cached_property
    def references(self) -> dict[bytes, dict[int, list[int]]]:
        """The items that each item refers to, by the kind of the reference."""
        references: dict[bytes, dict[int, list[int]]] = {}
        if b"iref" not in self._boxes:
            return references
        box = Box(self._boxes[b"iref"])
        size = 2 if version_of(box) == 0 else 4
        for kind, entry in box.boxes():
            item = entry.number(size)
            others = [entry.number(size) for _ in range(entry.number(2))]
            references.setdefault(kind, {})[item] = others
        return references

    @cached_property
    def properties(self) -> dict[int, list[tuple[bytes, bytes]]]:
        """The properties of each item, each with its kind, in the order in which they count."""
        known: list[tuple[bytes, bytes]] = []
        named: dict[int, list[tuple[bytes, bytes]]] = {}
        for kind, box in Box(self._boxes[b"iprp"]).boxes():
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
        box = Box(self._boxes[b"iloc"])
        version = version_of(box)
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


def version_of(box: Box) -> int:
    """The version of a box, whose flags are passed over."""
    return box.number(4) >> 24
