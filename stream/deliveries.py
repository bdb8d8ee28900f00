"""What became of results that are sent on: how many arrived, how many were dropped, and outages."""

from dataclasses import dataclass
from typing import Any

from models.program.printable import counted


@dataclass(slots=True)
class Delivery:
    """The counts of one destination. Each has one thread that adds to it.

    Attributes:
        unit: what is sent, in the singular: `frame` or `event`.
        sent: how many it has taken.
        replaced: how many newer ones took the place of; the thread of the loop counts them.
        lost: how many it was not given because it was away, or did not take.
        outages: how often it was away.
        outages_s: for how long in all, s, of the outages that are over.
    """

    unit: str
    sent: int = 0
    replaced: int = 0
    lost: int = 0
    outages: int = 0
    outages_s: float = 0.0

    @property
    def dropped(self) -> int:
        """How many did not arrive."""
        return self.replaced + self.lost

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON has them."""
        return {
            "unit": self.unit,
            "sent": self.sent,
            "dropped": self.dropped,
            "outages": self.outages,
            "outages_s": round(self.outages_s, 3),
        }

    def words(self) -> str:
        """The counts for people."""
        words = f"{counted(self.sent, self.unit)} sent"
        if self.dropped:
            words += f", {self.dropped} dropped"
        if self.outages:
            words += f", {counted(self.outages, 'outage')}"
        return words

    def add(self, other: "Delivery") -> None:
        """Adds what became of another run's."""
        self.sent += other.sent
        self.replaced += other.replaced
        self.lost += other.lost
        self.outages += other.outages
        self.outages_s += other.outages_s
