"""OpenCV without its own messages: what is wrong is said by whoever called it, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def without_opencv_messages() -> Iterator[None]:
    """Lets OpenCV print nothing in the body, which answers for what goes wrong."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
