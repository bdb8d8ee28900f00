"""How a decoded picture is to be turned and mirrored before it is shown."""

from typing import Any

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from models.faces import Image


def _unnamed_type(enum: type[Type], value: object) -> Type | None:
    """A member for a type of side data that PyAV has no name for.

    PyAV names the types of one release of FFmpeg, such as display matrices. FFmpeg adds types with
    each release (EXIF is one), and a frame with one of those would otherwise show none of its side
    data.
    """
    if not isinstance(value, int):
        return None
    member = object.__new__(enum)
    member._name_ = f"TYPE_{value}"
    object.__setattr__(member, "_value_", value)  # the stub takes a value for a member
    return member


Type._missing_ = classmethod(_unnamed_type)  # type: ignore[method-assign, assignment]


def display_matrix(frame: VideoFrame) -> bytes | None:
    """How a frame is turned and mirrored, nine int32 numbers; None where it is not.

    `frame.side_data` would be kept by the frame, which it refers to itself: a ring, whose memory is
    freed only when the garbage collector comes. It knows nothing of the size of a picture, and came
    so rarely that a stream that was lost every 20 s grew by a megabyte a minute.
    """
    side_data = SideDataContainer(frame)  # type: ignore[call-arg]  # its stub has no constructor
    try:
        return bytes(side_data[Type.DISPLAYMATRIX])
    except KeyError:
        return None


def upright(image: NDArray[Any], matrix: bytes | None) -> Image:
    """A picture turned and mirrored as its display matrix says."""
    if matrix is not None:
        # The matrix takes (x, y) of the stored picture to (a x + c y, b x + d y) of the shown one.
        a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5]
        turned = abs(int(b)) > abs(int(a))
        if turned:
            image = image.transpose(1, 0, 2)
        right, down = (c, b) if turned else (a, d)
        image = image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
    return np.ascontiguousarray(image, dtype=np.uint8)
