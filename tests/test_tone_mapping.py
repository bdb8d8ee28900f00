"""HDR and wide primaries as BT.709: known signals, greys, what lies outside, what is left alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.pictures.tone_mapping import (
    BT709,
    BT2020,
    HLG,
    PQ,
    UNSPECIFIED,
    ToneMapping,
    tone_mapping,
)

_MOST = 65535


def _convert(rgb: tuple[float, float, float], primaries: int, transfer: int) -> list[float]:
    """Red, green and blue of BT.709 by those of other codes, 0 to 1."""
    mapping = tone_mapping(primaries, transfer)
    assert mapping is not None
    pixel = np.rint(np.array(rgb) * _MOST).astype(np.uint16).reshape(1, 1, 3)
    converted = mapping.convert(pixel)
    assert converted.dtype == np.uint16
    return [float(each) / _MOST for each in converted[0, 0]]


@pytest.mark.parametrize(
    ("transfer", "signal", "light"),  # ITU-R BT.2408, table 1: light of paper and of grey cards
    [(PQ, 0.38, 26 / 203), (HLG, 0.38, 26 / 203), (PQ, 0.0, 0.0), (HLG, 0.0, 0.0)],
)
def test_what_is_darker_than_paper_gets_its_light(
    transfer: int, signal: float, light: float
) -> None:
    converted = _convert((signal, signal, signal), BT2020, transfer)
    assert_allclose(converted, light ** (1 / 2.4), atol=0.01)


@pytest.mark.parametrize(("transfer", "paper", "peak"), [(PQ, 0.5807, 0.7518), (HLG, 0.75, 1.0)])
def test_paper_is_nearly_white_and_all_that_is_brighter_can_still_be_told_apart(
    transfer: int, paper: float, peak: float
) -> None:
    assert 0.93 < _convert((paper,) * 3, BT2020, transfer)[0] < 0.97
    assert _convert((peak,) * 3, BT2020, transfer)[0] == pytest.approx(1, abs=1e-3)
    signals = np.linspace(0, peak, 200)
    shown = [_convert((each,) * 3, BT2020, transfer)[0] for each in signals]
    assert (np.diff(shown) >= 0).all()
    assert (np.diff(shown)[-50:] > 0).all()


@pytest.mark.parametrize("primaries", [BT2020, 11, 12])
@pytest.mark.parametrize("transfer", [PQ, HLG, BT709, UNSPECIFIED])
def test_a_grey_stays_grey(primaries: int, transfer: int) -> None:
    for signal in np.linspace(0, 1, 20):
        assert np.ptp(_convert((signal, signal, signal), primaries, transfer)) < 2e-3


def test_wide_primaries_become_those_of_bt709() -> None:
    # Red, green and blue of BT.709 in BT.2020 (ITU-R BT.2087, table 1).
    for light, expected in (
        ((0.6274, 0.0691, 0.0164), (1, 0, 0)),
        ((0.3293, 0.9195, 0.0880), (0, 1, 0)),
        ((0.0433, 0.0114, 0.8956), (0, 0, 1)),
    ):
        red, green, blue = (each ** (1 / 2.4) for each in light)
        assert_allclose(_convert((red, green, blue), BT2020, 14), expected, atol=0.03)


def test_what_bt709_cannot_show_is_clipped() -> None:
    assert _convert((1, 0, 0), BT2020, BT709) == [1, 0, 0]
    assert _convert((0, 1, 0), 12, 13) == [0, 1, pytest.approx(0, abs=1e-3)]


def test_hdr_that_does_not_say_its_primaries_has_those_of_bt2020() -> None:
    assert tone_mapping(UNSPECIFIED, PQ) is tone_mapping(BT2020, PQ)
    assert tone_mapping(UNSPECIFIED, HLG) is tone_mapping(BT2020, HLG)
    assert tone_mapping(BT709, HLG) is not tone_mapping(BT2020, HLG)


@pytest.mark.parametrize("primaries", [BT709, UNSPECIFIED, 5, 6, 200])
@pytest.mark.parametrize("transfer", [BT709, UNSPECIFIED, 6, 13, 14, 200])
def test_what_a_screen_shows_as_it_is_is_left_alone(primaries: int, transfer: int) -> None:
    assert tone_mapping(primaries, transfer) is None


def test_hdr_is_told_from_wide_primaries() -> None:
    assert ToneMapping(BT2020, PQ).is_hdr
    assert not ToneMapping(BT2020, BT709).is_hdr
