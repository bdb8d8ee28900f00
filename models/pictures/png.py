"""PNG files as libpng is given them, which prints on the terminal whatever it objects to."""

import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins (RFC 2083, 12.12)."""

_UNREAD = frozenset(
    (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"tIME", b"pHYs", b"bKGD", b"hIST", b"sPLT", b"sBIT")
)
"""Chunks that no reader here asks for, and that libpng warns of where they are not as it likes."""

_OPTIONAL = 0x20
"""Bit of the first letter of a chunk that a picture can do without."""

_FRAME_BYTES = 12
"""Bytes of a chunk beside its content: length, kind and check sum."""


def checked_png(content: bytes) -> bytes | None:
    """The chunks of a PNG that are read; None where one that it needs is cut off or damaged.

    Anything else is returned as it is.
    """
    if not content.startswith(_SIGNATURE):
        return content
    view, pieces, start = memoryview(content), [memoryview(_SIGNATURE)], len(_SIGNATURE)
    while start + _FRAME_BYTES <= len(content):
        end = start + _FRAME_BYTES + int.from_bytes(view[start : start + 4], "big")
        if end > len(content):
            return None
        kind = bytes(view[start + 4 : start + 8])
        whole = zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")
        if not whole and not kind[0] & _OPTIONAL:
            return None
        if whole and kind not in _UNREAD:
            pieces.append(view[start:end])
        if kind == b"IEND":
            return b"".join(pieces)
        start = end
    return None
