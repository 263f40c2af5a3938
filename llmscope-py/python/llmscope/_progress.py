"""The progress of a benchmark: a line on standard error that overwrites itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    _Listener = Callable[[dict[str, Any], bool], None]

WIDTH = 100


def usual() -> _Listener | None:
    """The default listener: the line in a terminal or a notebook, otherwise none."""
    return line if sys.stderr.isatty() or "ipykernel" in sys.modules else None


def of(function: Callable[[dict[str, Any]], object]) -> _Listener:
    """A listener that calls a function with the summary."""

    def listen(summary: dict[str, Any], ended: bool) -> None:
        function(summary)

    return listen


def line(summary: dict[str, Any], ended: bool) -> None:
    """Overwrites the previous summary; the last one remains."""
    requests = summary["requests"]
    parts = [f"{requests} request{'' if requests == 1 else 's'}"]
    if summary["failed"]:
        parts.append(f"{summary['failed']} failed")
    for name, title in (("ttft_s", "TTFT"), ("tpot_s", "TPOT")):
        if name in summary["metrics"]:
            metric = summary["metrics"][name]
            parts.append(f"{title} p50 {1e3 * metric['p50']:.1f} ms p99 {1e3 * metric['p99']:.1f} ms")
    if "output_tokens_per_s" in summary:
        parts.append(f"{summary['output_tokens_per_s']:.0f} tokens/s")
    text = " · ".join(parts)
    sys.stderr.write(f"\r{text[:WIDTH]:<{WIDTH}}" + ("\n" if ended else ""))
    sys.stderr.flush()
