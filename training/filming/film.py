"""Faces as a video shows them: small, blurred, noisy and coded, each drawn at random.

What happens to a face on its way through a camera and a recording happens in that order, and at the
size that it has there: lens and shutter, sensor, coding.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.aligner import CHIP_FACE_SHARE
from models.faces import Image
from training.filming.corruptions import blur, motion_blur, noise, shrink
from training.filming.video_coding import code_h264

_MIN_WIDTH_PX = 10.0
"""Width of the smallest face, px; the widths are drawn evenly in their logarithm, up to that of a
chip."""

_BLURRED_SHARE = 0.2
"""Share of the faces, 0 to 1, that are out of focus."""

_BLUR = (0.004, 0.025)
"""Least and greatest standard deviation of that blur, as a share of the side of the chip."""

_MOVED_SHARE = 0.2
"""Share of the faces, 0 to 1, that moved while the shutter was open."""

_MOTION = (0.01, 0.1)
"""Least and greatest way that such a face moved, as a share of the side of the chip."""

_NOISY_SHARE = 0.25
"""Share of the faces, 0 to 1, with the noise of a sensor in little light."""

_NOISE = (2.0, 16.0)
"""Least and greatest standard deviation of that noise, levels of 255."""

_CODED_SHARE = 0.8
"""Share of the faces, 0 to 1, that are coded as H.264."""

_CRF = (18, 39)
"""Least rate factor of H.264, and the first above the greatest; 28 is ordinary."""

Chips: TypeAlias = list[Image]
"""Chips of any sizes."""


def random_widths(chips: Chips, random: np.random.Generator) -> NDArray[np.float64]:
    """A width for the face of each chip, px, up to the one that it has."""
    widest = np.log([len(chip) * CHIP_FACE_SHARE for chip in chips])
    return np.exp(random.uniform(np.log(_MIN_WIDTH_PX), widest))


def film(chips: Chips, widths_px: NDArray[np.float64], random: np.random.Generator) -> Chips:
    """The chips as they are in a video, of the sizes that they have there.

    Args:
        chips: those that are filmed, coded together.
        widths_px: `(n,)`, how wide each face is in the video.
        random: what the rest is drawn by.
    """

    def random_blur(chip: Image) -> Image:
        return blur(chip, random.uniform(*_BLUR) * len(chip))

    def random_motion(chip: Image) -> Image:
        return motion_blur(chip, random.uniform(*_MOTION) * len(chip), random.uniform(0, 180))

    # 1. Lens and shutter, 2. sensor, 3. coding.
    shown = [shrink(chip, float(width)) for chip, width in zip(chips, widths_px, strict=True)]
    shown = each_of_share(shown, _BLURRED_SHARE, random, random_blur)
    shown = each_of_share(shown, _MOVED_SHARE, random, random_motion)
    shown = each_of_share(
        shown, _NOISY_SHARE, random, lambda chip: noise(chip, random.uniform(*_NOISE), random)
    )
    crf = int(random.integers(*_CRF))
    return share(shown, _CODED_SHARE, random, lambda chosen: code_h264(chosen, crf))


def share(
    chips: Chips, part: float, random: np.random.Generator, change: Callable[[Chips], Chips]
) -> Chips:
    """Changes a share of the chips, drawn at random; of few chips, that share on average."""
    count = int(part * len(chips) + random.random())
    chosen = random.permutation(len(chips))[:count].tolist()
    changed = dict(zip(chosen, change([chips[each] for each in chosen]), strict=True))
    return [changed.get(number, chip) for number, chip in enumerate(chips)]


def each_of_share(
    chips: Chips, part: float, random: np.random.Generator, change: Callable[[Image], Image]
) -> Chips:
    """Changes a share of the chips, each by itself."""
    return share(chips, part, random, lambda chosen: [change(each) for each in chosen])
