"""Whether a file ends before its end, told by the structure of its format."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_TAIL_BYTES = 1 << 17
"""Bytes at the end of a file in which its last page or packet is looked for: more than the largest
page of Ogg (65,307) or packet of a program stream (65,541)."""

_MAX_BOXES = 1_000_000
"""Boxes of an MP4 that are walked through at most; a day in fragments has fewer."""

_BOX_TYPES = frozenset(
    {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"sidx"}
)
"""Types of the first box of an MP4 or QuickTime file (ISO 14496-12)."""

_TS_SYNC = 0x47
"""First byte of each packet of a transport stream (ISO 13818-1)."""

_TS_PACKETS = {188: 0, 192: 4, 204: 0}
"""Lengths of the packets of transport streams, and where in them the first byte stands: as
broadcast, as on discs and in cameras, and with error correction."""

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""Identifier of the object of an ASF file that states its size."""

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
"""Identifiers of the header and of the segment of a Matroska file (RFC 9559)."""


def is_cut(path: Path) -> bool:
    """Whether a file is shorter than its own structure says: boxes of MP4 and QuickTime, chunks of
    AVI, the segment of Matroska and WebM, tags of FLV, pages of Ogg, packets of transport and
    program streams, the header of ASF. Of other formats, and where the length was left open, this
    is not known, and it is not.
    """
    try:
        with path.open("rb") as file:
            head, size = file.read(1 << 16), path.stat().st_size
            return next((check for begins, check in _CHECKS if begins(head)), _unknown)(
                file, head, size
            )
    except (OSError, IndexError):
        return False


def _unknown(file: BinaryIO, head: bytes, size: int) -> bool:
    return False


def _boxes(file: BinaryIO, head: bytes, size: int) -> bool:
    place = 0
    for _ in range(_MAX_BOXES):
        file.seek(place)
        box = file.read(16)
        length = int.from_bytes(box[:4], "big")
        if length == 1:
            length = int.from_bytes(box[8:16], "big")
        if len(box) < 8 or length < 8:  # no box, or one to the end of the file
            return False
        place += length
        if place >= size:
            return place > size
    return False


def _chunks(file: BinaryIO, head: bytes, size: int) -> bool:
    place = 0
    while place < size:
        file.seek(place)
        chunk = file.read(8)
        length = int.from_bytes(chunk[4:8], "little")
        if chunk[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):
            return False
        place += 8 + length
    return place > size + 8  # some writers count these eight bytes as well


def _segment(file: BinaryIO, head: bytes, size: int) -> bool:
    place, length = 0, _ebml_number(head, 4)
    place = length[0] + length[1]
    if head[place : place + 4] != _SEGMENT:
        return False
    start, segment = _ebml_number(head, place + 4)
    return segment >= 0 and start + segment > size


def _ebml_number(data: bytes, place: int) -> tuple[int, int]:
    """Where a length ends that stands there, and the length; -1 where it was left open."""
    bytes_count = 9 - data[place].bit_length()
    end = place + bytes_count
    value = int.from_bytes(data[place:end], "big") & ((1 << 7 * bytes_count) - 1)
    return end, -1 if value == (1 << 7 * bytes_count) - 1 else value


def _tags(file: BinaryIO, head: bytes, size: int) -> bool:
    """The last four bytes of an FLV are the length of its last tag."""
    file.seek(-4, os.SEEK_END)
    length = int.from_bytes(file.read(4), "big")
    if not 11 <= length <= size - 13:
        return True
    file.seek(size - 4 - length)
    return int.from_bytes(file.read(4)[1:], "big") != length - 11


def _pages(file: BinaryIO, head: bytes, size: int) -> bool:
    tail = _tail(file, size)
    place = tail.rfind(b"OggS")
    if place < 0 or place + 27 > len(tail):
        return True
    segments = tail[place + 27 : place + 27 + tail[place + 26]]
    return place + 27 + tail[place + 26] + sum(segments) > len(tail)


def _ts_packets(file: BinaryIO, head: bytes, size: int) -> bool:
    """The file ends within a packet, or its last packet does not end a picture or a piece of sound.

    1. Where these state their length, it is compared with the payload of their packets.
    2. Where they do not, their last packet is stuffed, but for one in 184 that happens to be full.
    """
    length = _ts_packet_bytes(head)
    if size % length:
        return True
    tail = _tail(file, size - size % length)
    first = len(tail) % length + _TS_PACKETS[length]
    packets = [tail[place : place + 188] for place in range(first, len(tail), length)]
    track = _ts_track(packets[-1])
    missing: int | None = None
    is_media = 0x20 <= track < 0x1FFF
    for packet in packets:
        if _ts_track(packet) != track or not packet[3] & 0x10:  # of another track, or no payload
            continue
        payload = packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :]
        if packet[1] & 0x40:  # a picture or a piece of sound begins
            stated = int.from_bytes(payload[4:6], "big")
            is_media = payload[:3] == b"\x00\x00\x01"
            missing = stated + 6 if is_media and stated else None
        if missing is not None:
            missing -= len(payload)
    if missing is not None:
        return missing > 0
    is_stuffed = bool(packets[-1][3] & 0x20)
    return is_media and not is_stuffed


def _ts_track(packet: bytes) -> int:
    """Number of the track of a packet; those below 32 and the last are no media."""
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def _ts_packet_bytes(head: bytes) -> int:
    """The length of the packets of a transport stream, 0 where it is none."""
    for length, place in _TS_PACKETS.items():
        if len(head) > 3 * length and set(head[place : 4 * length : length]) == {_TS_SYNC}:
            return length
    return 0


def _ps_packets(file: BinaryIO, head: bytes, size: int) -> bool:
    """The last packet of a program stream says how long it is."""
    tail = _tail(file, size)
    place = len(tail)
    while (place := tail.rfind(b"\x00\x00\x01", 0, place)) >= 0:
        if place + 6 <= len(tail) and tail[place + 3] > 0xBA:
            return place + 6 + int.from_bytes(tail[place + 4 : place + 6], "big") > len(tail)
    return False


def _asf_header(file: BinaryIO, head: bytes, size: int) -> bool:
    place = head.find(_ASF_FILE_PROPERTIES)
    return place >= 0 and int.from_bytes(head[place + 40 : place + 48], "little") > size


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - _TAIL_BYTES, 0))
    return file.read(_TAIL_BYTES)


_CHECKS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, bytes, int], bool]], ...] = (
    (lambda head: head[4:8] in _BOX_TYPES, _boxes),
    (lambda head: head[:4] == b"RIFF", _chunks),
    (lambda head: head[:4] == _EBML, _segment),
    (lambda head: head[:3] == b"FLV", _tags),
    (lambda head: head[:4] == b"OggS", _pages),
    (lambda head: head[:4] == b"\x00\x00\x01\xba", _ps_packets),
    (lambda head: head[:4] == b"\x30\x26\xb2\x75", _asf_header),
    (lambda head: _ts_packet_bytes(head) > 0, _ts_packets),
)
"""How each format begins, and how its end is checked."""
