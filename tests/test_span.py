"""Parts of a video: how they are given, and which frames belong to them."""

import pytest

from stream.errors import ConfigError
from stream.sources.span import WHOLE, Span


def test_a_frame_belongs_to_a_span_by_its_rounded_time() -> None:
    """Times are written in milliseconds: one that is rounded means its frame."""
    span = Span(1.0, 2.0)
    assert [span.is_before(time_s) for time_s in (0.0, 0.9994, 0.9996, 1.5)] == [
        *(True, True, False, False)
    ]
    assert [span.is_after(time_s) for time_s in (1.5, 1.9994, 1.9996, 9.0)] == [
        *(False, False, True, True)
    ]
    assert not WHOLE.is_before(0.0)
    assert not WHOLE.is_after(1e9)


@pytest.mark.parametrize(
    ("text", "time_s"),
    [("0", 0), ("90.5", 90.5), ("1:30", 90), ("00:01:30.250", 90.25), ("100:00:00", 360_000)],
)
def test_a_time_is_read(text: str, time_s: float) -> None:
    assert Span.parse(text, None) == Span(time_s)
    assert Span.parse(None, "999:00:00").end_s == 999 * 3600


@pytest.mark.parametrize("text", ["", "-1", "1m", "1:2:3:4", "a", "1,5", ":30", "nan", "inf"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--end .*: give seconds, as in 90\.5, or HH:MM:SS"):
        Span.parse(None, text)


@pytest.mark.parametrize("time_s", ["1", float("nan"), float("inf"), 10**400, 1j])
def test_what_is_no_time_is_refused(time_s: float) -> None:
    for start_s, end_s in ((time_s, None), (0.0, time_s)):
        with pytest.raises(ConfigError, match="a span is from one time to another in seconds, not"):
            Span(start_s, end_s)


@pytest.mark.parametrize("end", ["1", "2"])
def test_the_end_must_lie_after_the_start(end: str) -> None:
    with pytest.raises(ConfigError, match="must lie after --start"):
        Span.parse("2", end)


@pytest.mark.parametrize("start", [None, "0"])
def test_an_end_before_the_first_frame_is_said_to_be_that(start: str | None) -> None:
    with pytest.raises(ConfigError, match="--end 0 is before the first frame: give a later time"):
        Span.parse(start, "0:00")
