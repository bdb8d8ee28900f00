"""Media time, made of whatever times a container states."""

import pytest

from stream.sources.media_clock import MediaClock


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([0.0, 0.04, 0.08], [0.0, 0.04, 0.08]),
        ([None, None, None], [0.0, 0.04, 0.08]),
        ([0.0, None, 0.5, None], [0.0, 0.04, 0.5, 0.54]),
        ([-0.5, -0.1, 0.2], [0.0, 0.001, 0.2]),
        ([0.0, 0.0, 0.04], [0.0, 0.001, 0.04]),
        ([0.0, 0.08, 0.04, 0.12], [0.0, 0.08, 0.081, 0.12]),
        ([9.0, 9.04, 0.0, 0.04, 0.5], [9.0, 9.04, 9.08, 9.12, 9.58]),
    ],
    ids=["plain", "missing", "some missing", "negative", "twice", "out of order", "joined"],
)
def test_time_goes_forwards_whatever_the_container_states(
    stated: list[float | None], expected: list[float]
) -> None:
    clock = MediaClock(0.0, 0.04)
    assert [clock.time_s(time_s) for time_s in stated] == pytest.approx(expected)
