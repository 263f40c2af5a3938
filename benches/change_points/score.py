"""How well the found changes agree with the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 10
"""A found change matches a true one at most this many places away."""


@dataclass
class Score:
    """The counts over several series."""

    series: int = 0
    found: int = 0
    true: int = 0
    matched: int = 0
    with_a_find: int = 0
    complete: int = 0
    """Series of which all true changes are matched."""
    seconds: float = 0.0
    """Processor time."""

    def add(self, found: Sequence[int], truth: Sequence[int], seconds: float) -> None:
        """Counts one series."""
        hits = matched(found, truth)
        self.series += 1
        self.found += len(found)
        self.true += len(truth)
        self.matched += hits
        self.with_a_find += bool(found)
        self.complete += hits == len(truth)
        self.seconds += seconds

    @property
    def precision(self) -> float | None:
        """The share of the found changes that match a true one."""
        return self.matched / self.found if self.found else None

    @property
    def recall(self) -> float:
        """The share of the true changes that are matched."""
        return self.matched / self.true

    @property
    def milliseconds(self) -> float:
        """Processor time of a series."""
        return 1000 * self.seconds / self.series


def matched(found: Sequence[int], truth: Sequence[int]) -> int:
    """The number of pairs of a found and a true change at most ``NEAR`` places apart, each change in at most one pair.

    In order, each true change takes the first found one that is near enough and not taken: no other choice has more
    pairs."""
    pairs, left = 0, sorted(found)
    for change in sorted(truth):
        near = next((at for at in left if abs(at - change) <= NEAR), None)
        if near is not None:
            left.remove(near)
            pairs += 1
    return pairs
