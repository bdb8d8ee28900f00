"""HDR and wide-gamut colours as BT.709 shows them, in three steps:

1. The signal becomes light, as its transfer function says. Light about as bright as white paper and
   brighter is compressed.
2. The light of its primaries becomes that of BT.709's, and what BT.709 cannot show is clipped.
3. The light becomes signal again.

The colour codes are those of ITU-T H.273, which FFmpeg uses too.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

PQ = 16
"""Code of the transfer function of SMPTE ST 2084: it states the light in cd/m²."""

HLG = 18
"""Code of the transfer function of ARIB STD-B67: it states the light in front of the camera."""

BT709 = 1
"""Code of BT.709's primaries and of its transfer function."""

UNSPECIFIED = 2
"""Code of a property that a picture does not state."""

BT2020 = 9
"""Code of the primaries of ITU-R BT.2020, which are those of HDR."""

_TO_BT709 = {
    BT2020: ((1.6605, -0.5877, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    11: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),  # DCI-P3
    12: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),  # Display P3
}
"""Red, green and blue light of BT.709 by that of wider primaries (ITU-R BT.2407, SMPTE EG 432-1);
the white of cinemas is taken for that of screens."""

_PAPER_CD_M2 = 203.0
"""Light of white paper in HDR, cd/m² (ITU-R BT.2408); it becomes the white of BT.709, so that a
larger value makes pictures darker."""

_PEAK_CD_M2 = 1000.0
"""Light that becomes the brightest white, cd/m²: the peak of HLG and of what PQ is mostly made for;
a larger value leaves fewer steps for each highlight."""

_GAMMA = 2.4
"""Exponent from signal to light of a BT.709 screen (ITU-R BT.1886)."""

_HLG_GAMMA = 1.2
"""Exponent from light in front of the camera to that of a screen of `_PEAK_CD_M2` (BT.2100); taken
of each colour instead of the luminance, as libraries do that grade HLG, at a third of the cost."""

_KNEE = 0.9
"""Signal of BT.709 above which light is compressed, of 1; a larger value leaves more of a bright
face as it is, and less of what is brighter than paper. Tuned on faces graded for BT.709."""

MOST = 65535
"""Largest number of a channel of 16 bits."""


class ToneMapping:
    """Converts pictures of one transfer function and one set of primaries; see `tone_mapping`.

    Attributes:
        is_hdr: the transfer function is one of HDR.
    """

    def __init__(self, primaries: int, transfer: int) -> None:
        self.is_hdr = transfer in _LIGHT
        shares = np.arange(MOST + 1) / MOST
        light = _LIGHT[transfer](shares) if self.is_hdr else shares**_GAMMA
        shown = _compressed(light ** (1 / _GAMMA)) if self.is_hdr else shares
        self._light = _table(shown**_GAMMA)
        self._to_bt709 = np.array(_TO_BT709.get(primaries, np.eye(3)), np.float32)
        self._signal = _table(shares ** (1 / _GAMMA))

    def convert(self, rgb: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """A picture `(height, width, 3)`, red first, 0 to 65535, in BT.709."""
        light = cv2.transform(cv2.LUT(rgb, self._light), self._to_bt709)
        return cv2.LUT(light, self._signal).astype(np.uint16, copy=False)


def tone_mapping(primaries: int, transfer: int) -> ToneMapping | None:
    """What converts pictures of these codes; None where BT.709 shows them as they are.

    HDR that does not state its primaries has those of BT.2020.
    """
    if transfer in _LIGHT:
        return _made(BT2020 if primaries == UNSPECIFIED else primaries, transfer)
    return _made(primaries, BT709) if primaries in _TO_BT709 else None


@cache
def _made(primaries: int, transfer: int) -> ToneMapping:
    return ToneMapping(primaries, transfer)


def _table(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Values of 0 to 1 in 16 bits, as OpenCV takes them."""
    return np.rint(values * MOST).astype(np.uint16)[None]


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light by signal (ITU-R BT.2100, table 4), of paper's."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) / _PAPER_CD_M2


def _hlg_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light by signal (ITU-R BT.2100, table 5), of paper's."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return scene**_HLG_GAMMA * _PEAK_CD_M2 / _PAPER_CD_M2


_LIGHT = {PQ: _pq_light, HLG: _hlg_light}
"""Light by signal, by the code of the transfer function of HDR."""


def _compressed(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signal of BT.709 where its white is the peak: Reinhard's curve from the knee on."""
    peak = (_PEAK_CD_M2 / _PAPER_CD_M2) ** (1 / _GAMMA)
    room = 1 - _KNEE
    above, most = np.maximum(signal - _KNEE, 0) / room, (peak - _KNEE) / room
    curve = above * (1 + above / most**2) / (1 + above)
    return np.minimum(np.minimum(signal, _KNEE) + room * curve, 1)
