"""H.264 → fragmented MP4 (ISO/IEC 14496-12 and -15), a fragment a picture, as browsers take it.

FFmpeg's muxer writes a fragment only when the next picture is there, which makes each one late.
"""

import struct

TIMESCALE = 90_000
"""Ticks of the timestamps a second: the usual one of video."""

_START_CODE = b"\x00\x00\x01"
"""What separates the units of a stream; zeros may go before it (ITU-T H.264, annex B)."""

_SPS, _PPS = 7, 8
"""Types of the units that describe the stream: sequence and picture parameter sets."""

_IDENTITY = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""The matrix that leaves a picture as it is."""

_KEY_FLAGS, _OTHER_FLAGS = 0x02000000, 0x01010000
"""Flags of a picture that depends on no other, and of one that does."""


def units_of(stream: bytes) -> list[bytes]:
    """The units of a piece of H.264 with start codes."""
    # No unit ends with a zero.
    return [unit for each in stream.split(_START_CODE) if (unit := each.rstrip(b"\x00"))]


def codec_of(parameters: bytes) -> str:
    """The codec as a MIME type names it, from the parameter sets of a stream: `avc1.42c01f`."""
    return f"avc1.{_set_of(parameters, _SPS)[1:4].hex()}"


def first_segment(parameters: bytes, size_wh: tuple[int, int]) -> bytes:
    """The segment that goes before all fragments.

    Args:
        parameters: the parameter sets of the stream, with start codes.
        size_wh: width and height, px.
    """
    brands = b"iso5" + struct.pack(">I", 512) + b"iso5iso6mp41"
    return _box(b"ftyp", brands) + _box(b"moov", _movie_header(), _track(parameters, size_wh), _box(
        b"mvex", _full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))
    ))  # fmt: skip


def fragment(number: int, time: int, duration: int, stream: bytes, *, is_key: bool) -> bytes:
    """One picture as a fragment.

    Args:
        number: counts the fragments from 1 on.
        time: when it is shown, ticks.
        duration: for how long, ticks.
        stream: the picture as H.264 with start codes.
        is_key: it can be decoded without those before it.
    """
    units = [each for each in units_of(stream) if each[0] & 31 not in (_SPS, _PPS)]
    sample = b"".join(struct.pack(">I", len(each)) + each for each in units)
    flags = _KEY_FLAGS if is_key else _OTHER_FLAGS

    def moof(offset: int) -> bytes:
        run = struct.pack(">2I3I", 1, offset, duration, len(sample), flags)
        return _box(
            b"moof",
            _full_box(b"mfhd", 0, 0, struct.pack(">I", number)),
            _box(
                b"traf",
                _full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1)),
                _full_box(b"tfdt", 1, 0, struct.pack(">Q", time)),
                _full_box(b"trun", 0, 0x000701, run),
            ),
        )

    return moof(len(moof(0)) + 8) + _box(b"mdat", sample)


def _movie_header() -> bytes:
    head = struct.pack(">4I", 0, 0, TIMESCALE, 0) + struct.pack(">IH", 1 << 16, 0x0100)
    return _full_box(b"mvhd", 0, 0, head, bytes(10), _IDENTITY, bytes(24), struct.pack(">I", 2))


def _track(parameters: bytes, size_wh: tuple[int, int]) -> bytes:
    width, height = size_wh
    size = struct.pack(">2I", width << 16, height << 16)
    header = struct.pack(">5I", 0, 0, 1, 0, 0) + bytes(16) + _IDENTITY + size
    media = struct.pack(">4I2H", 0, 0, TIMESCALE, 0, 0x55C4, 0)
    handler = struct.pack(">I", 0) + b"vide" + bytes(12) + b"video\x00"
    tables = [_full_box(name, 0, 0, bytes(4)) for name in (b"stts", b"stsc", b"stco")]
    tables.append(_full_box(b"stsz", 0, 0, bytes(8)))
    description = _full_box(b"stsd", 0, 0, struct.pack(">I", 1), _sample_entry(parameters, size_wh))
    here = _box(b"dinf", _full_box(b"dref", 0, 0, struct.pack(">I", 1), _full_box(b"url ", 0, 1)))
    return _box(
        b"trak",
        _full_box(b"tkhd", 0, 3, header),
        _box(
            b"mdia",
            _full_box(b"mdhd", 0, 0, media),
            _full_box(b"hdlr", 0, 0, handler),
            _box(
                b"minf",
                _full_box(b"vmhd", 0, 1, bytes(8)),
                here,
                _box(b"stbl", description, *tables),
            ),
        ),
    )


def _sample_entry(parameters: bytes, size_wh: tuple[int, int]) -> bytes:
    sps, pps = _set_of(parameters, _SPS), _set_of(parameters, _PPS)
    config = b"\x01" + sps[1:4] + b"\xff\xe1" + struct.pack(">H", len(sps)) + sps
    config += b"\x01" + struct.pack(">H", len(pps)) + pps
    shown = struct.pack(">2H2I", *size_wh, 72 << 16, 72 << 16)
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + shown + struct.pack(">IH", 0, 1)
    return _box(b"avc1", entry, bytes(32), struct.pack(">Hh", 24, -1), _box(b"avcC", config))


def _set_of(parameters: bytes, kind: int) -> bytes:
    return next(unit for unit in units_of(parameters) if unit[0] & 31 == kind)


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + name + content


def _full_box(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)
