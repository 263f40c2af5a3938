"""Tables of a page, between markers."""

from __future__ import annotations

import argparse
import math

Z = 1.959964
"""Φ⁻¹(0.975)."""


def with_tables(text: str, tables: dict[str, str]) -> str:
    """The page with each table between its markers."""
    for name, table in tables.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"the page lacks the markers {begin.strip()} and {end.strip()}")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


def markdown(header: list[str], rows: list[list[str]], text: int) -> str:
    """A Markdown table whose first columns are text."""
    rule = ["---"] * text + ["---:"] * (len(header) - text)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows])


def with_interval(hits: int, count: int) -> str:
    """A share in percent with Wilson's interval."""
    low, high = wilson(hits, count)
    return f"{percent(hits / count)} ({100 * low:.1f} to {100 * high:.1f})"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.3g} %"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927, *JASA* 22)."""
    share = hits / count
    center = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    return max(center - half, 0.0), min(center + half, 1.0)


def positive(text: str) -> int:
    """An integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"invalid number {number}: expected at least 1")
    return number
