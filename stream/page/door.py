"""Who may come in: tokens, what each allows, and how wrong ones are slowed down."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

Rights: TypeAlias = Literal["control", "watch"]
"""What a token allows: everything, or only to see the pictures and the data."""

COOKIE = "face_stream"
"""Name of the cookie that holds a token."""

_TOKEN_BYTES = 24
"""Length of a random token, bytes: more than can be guessed."""

_FREE_TRIES = 5
"""Wrong tokens of one address that are answered at once; more let a browser with an old cookie
load its page without a wait."""

_LONGEST_DELAY_S = 4.0
"""Longest wait before a wrong token is answered, s; more holds more connections open."""

_FORGOTTEN_S = 60.0
"""Time after which wrong tokens of an address are forgotten, s."""

_MOST_ADDRESSES = 10_000
"""Addresses whose wrong tokens are remembered; the oldest are forgotten first."""


class Door:
    """Two random tokens, one that controls and one that only watches.

    Args:
        clock: the monotonic clock, s.

    Attributes:
        control: the token that allows everything.
        watch: the token that only watches.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.control = secrets.token_urlsafe(_TOKEN_BYTES)
        self.watch = secrets.token_urlsafe(_TOKEN_BYTES)
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def __repr__(self) -> str:
        return f"Door({len(self._wrong)} addresses with wrong tokens)"

    def rights(self, token: str) -> Rights | None:
        """What a token allows; None for a wrong one. It takes as long for any token."""
        given = _digest(token)
        may_control = hmac.compare_digest(given, _digest(self.control))
        may_watch = hmac.compare_digest(given, _digest(self.watch))
        if may_control:
            return "control"
        return "watch" if may_watch else None

    def delay_s(self, address: str) -> float:
        """How long the answer to a wrong token of an address is to wait, s; it is counted."""
        now_s = self._clock()
        count, last_s = self._wrong.pop(address, (0, now_s))
        if now_s - last_s > _FORGOTTEN_S:
            count = 0
        if len(self._wrong) >= _MOST_ADDRESSES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong[address] = count + 1, now_s
        over = count + 1 - _FREE_TRIES
        return min(0.1 * 2 ** min(over, 10), _LONGEST_DELAY_S) if over > 0 else 0.0


def _digest(token: str) -> bytes:
    """What is compared of a token: always as long."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
