"""Packets of sound that are copied: without what is no content, and in order."""

from collections.abc import Iterable, Iterator

from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.packet import Packet

_MAX_LEAD_IN_S = 0.1
"""Longest lead-in of an encoder, s; longer sound before the beginning was cut off by an edit."""


def without_headers(
    packets: "Iterable[Packet[AudioStream]]", track: AudioStream
) -> "Iterator[Packet[AudioStream]]":
    """The packets without the headers that bare AAC has; others as they are."""
    if track.codec_context.name != "aac" or track.codec_context.extradata:
        yield from packets
        return
    adts_to_asc = BitStreamFilterContext("aac_adtstoasc", track)
    for packet in packets:
        yield from adts_to_asc.filter(packet if packet.size else None)


def without_discarded(
    packets: "Iterable[Packet[AudioStream]]",
) -> "Iterator[Packet[AudioStream]]":
    """The packets without those that are marked to be discarded.

    1. A lead-in of the encoder is kept: decoders need it, and players do not play it.
    2. What an edit list cuts off is left out: it is no content, and some containers cannot hide it.
    """
    discarded: list[Packet[AudioStream]] = []
    for packet in packets:
        if packet.is_discard:
            discarded.append(packet)
            continue
        if discarded:
            lead_in_s = _start_s(packet) - _start_s(discarded[0])
            yield from discarded if lead_in_s <= _MAX_LEAD_IN_S else ()
            discarded.clear()
        yield packet


def without_overlap(packets: "Iterable[Packet[AudioStream]]") -> "Iterator[Packet[AudioStream]]":
    """The packets without those that begin before the middle of the one before them."""
    middle: int | None = None
    last_dts = 0
    for packet in packets:
        if packet.pts is None or packet.dts is None:
            continue  # such as the last one, which is empty
        if middle is not None and (packet.dts <= last_dts or packet.pts < middle):
            continue
        middle, last_dts = packet.pts + (packet.duration or 0) // 2, packet.dts
        yield packet


def _start_s(packet: "Packet[AudioStream]") -> float:
    ticks = packet.dts if packet.pts is None else packet.pts
    return float((ticks or 0) * packet.time_base)
