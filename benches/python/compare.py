"""Times llmscope against its Python peers and against NumPy by hand, on the same data in one run.

    python benches/python/compare.py [--sizes 10000,100000,1000000] [--repeat 5] [--json FILE] [--here]

If the current Python lacks the peers, the script creates a virtual environment in ``target/peer-venv``, installs
``requirements.txt`` and llmscope there and continues in it. It first checks that llmscope and the NumPy version agree
about every point, and stops if they differ, because the speed of a wrong result does not matter. Peers with other
results are timed too, and the table shows their results.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1] / "shared"))
from environment import Environment  # noqa: E402
from tables import positive  # noqa: E402

ENVIRONMENT = Environment("peer-venv", ("llmscope", "numpy", "shewhart", "capstat_core", "spc_lib"))
SMALLEST = 1_000  # Points of the first, untimed call: it excludes imports and predicts slow calls.


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Times llmscope against its Python peers and NumPy by hand.")
    parser.add_argument("--sizes", type=sizes, default=[10_000, 100_000, 1_000_000], help="points, such as 1000,10000")
    parser.add_argument("--repeat", type=positive, default=5, help="runs of each call; the fastest counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    parser.add_argument("--here", action="store_true", help="use the current environment as it is")
    return parser.parse_args()


def sizes(text: str) -> list[int]:
    """Sizes in ascending order, because a small one predicts the cost of a large one."""
    found = sorted({int(part) for part in text.split(",")})
    if found[0] < SMALLEST:
        raise argparse.ArgumentTypeError(f"invalid size {found[0]}: expected at least {SMALLEST}")
    return found


if __name__ == "__main__":
    ENVIRONMENT.enter(SCRIPT, options().here)  # Before the imports below, which need it.

import llmscope as ls  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

SEED = 20260101
LSL, USL = 0.05, 1.50  # Seconds.
D2 = 2 / math.sqrt(math.pi)  # Expected range of two normal values, in sigmas.
RULES = [f"nelson-{number}" for number in range(1, 9)]
TOLERANCE = 1e-9  # Relative: the formulas differ only in the order of additions.
LONGEST_S = 60.0  # A peer that would need more for one call is skipped.
SHORTEST_S = 0.02  # A shorter call is repeated within one run until the clock can measure it.
STARTS = 10  # Fresh interpreters for each import.


@dataclass(frozen=True)
class Contender:
    """One way to do a task."""

    package: str
    call: str
    """The timed call, as text."""
    run: Callable[[Array], Any]
    answer: Callable[[Any], float] | None = None
    """Extracts from the result of ``run`` the number that the table compares."""


@dataclass(frozen=True)
class Task:
    """A task for all contenders. The first contender is llmscope."""

    title: str
    compared: str
    contenders: list[Contender]


@dataclass(frozen=True)
class Row:
    """One line of a task's table."""

    n: int
    package: str
    call: str
    ns_per_point: float | None
    ratio: float | None
    """Time of this contender divided by that of llmscope."""
    answer: float | None
    remark: str
    """Whether the answer agrees with llmscope's, or the reason why it is missing."""


@dataclass(frozen=True)
class Start:
    """Code that a fresh interpreter runs: one line of the table of imports."""

    name: str
    code: str


@dataclass(frozen=True)
class StartRow:
    """One line of the table of imports."""

    name: str
    milliseconds: float | None
    ratio: float | None
    """Time divided by that of importing NumPy."""


def main(chosen: argparse.Namespace) -> None:
    """Checks, measures and prints."""
    warnings.simplefilter("ignore")  # The peers' deprecation warnings about SciPy would interrupt the tables.
    series = [latencies(n) for n in chosen.sizes]
    print("# llmscope and its peers\n")
    for x in series:
        print(verified(x))

    results: dict[str, list[Row]] = {}
    for task in TASKS:
        results[task.title] = measured(task, series, chosen.repeat)
        print(f"\n## {task.title}\n\n{table_of(task, results[task.title])}")

    imports = measured_starts()
    print(f"\n## Import, and first call with 10 points\n\n{table_of_starts(imports)}")

    environment = surroundings()
    print(f"\n{environment}")
    if chosen.json:
        chosen.json.write_text(as_json(results, imports, environment), encoding="utf-8")


def latencies(n: int) -> Array:
    """Skewed latencies in seconds under a load that rises and falls, so that every rule signals."""
    noise = np.random.default_rng(SEED).lognormal(mean=0.0, sigma=0.4, size=n)
    load = 1 + 0.3 * np.sin(np.arange(n) * (2 * np.pi / 2_000))
    return np.ascontiguousarray(0.35 * load * noise)


# The NumPy version, and the comparison with it.


def verified(x: Array) -> str:
    """Reports that NumPy by hand and llmscope agree about these points, or ends the program."""
    judgement, by_hand = ls.individuals(x).judge(), numpy_judge(x)
    for code, mask in zip(RULES, by_hand, strict=True):
        differing = np.flatnonzero(judgement.signals_of(code) != mask)
        if differing.size:
            sys.exit(f"{code} at n = {x.size}: llmscope and NumPy differ at {differing.size}, first {differing[0]}")
    (_, cpk, _, ppk), (capability, performance) = numpy_capability(x), llmscope_capability(x)
    for name, ours, theirs in (("Cpk", capability.cpk, cpk), ("Ppk", performance.ppk, ppk)):
        if not agree(ours, theirs):
            sys.exit(f"{name} at n = {x.size}: llmscope computes {ours!r}, NumPy {theirs!r}")
    counts = ", ".join(f"{np.count_nonzero(mask):,}" for mask in by_hand)
    return f"- n = {x.size:,}: llmscope and NumPy agree; signals of rules 1 to 8: {counts}"


def agree(a: float, b: float) -> bool:
    """True if two numbers differ by no more than rounding."""
    return math.isclose(a, b, rel_tol=TOLERANCE)


def numpy_judge(x: Array) -> list[Mask]:
    """Nelson's eight rules: for each, a mask of the points that complete its pattern."""
    steps = np.diff(x)
    center, sigma = x.mean(), np.abs(steps).mean() / D2
    up, down = steps > 0, steps < 0
    flips = (up[1:] & down[:-1]) | (down[1:] & up[:-1])
    above = [x > center + multiple * sigma for multiple in range(4)]
    below = [x < center - multiple * sigma for multiple in range(4)]
    beyond_1 = above[1] | below[1]
    within_1 = (x < center + sigma) & (x > center - sigma)
    return [
        above[3] | below[3],
        unbroken(above[0], 9) | unbroken(below[0], 9),
        late(unbroken(up, 5) | unbroken(down, 5), x.size),
        late(unbroken(flips, 12), x.size),
        several(above[2], 2, 3) | several(below[2], 2, 3),
        several(above[1], 4, 5) | several(below[1], 4, 5),
        unbroken(within_1, 15),
        unbroken(beyond_1, 8),
    ]


def unbroken(mask: Mask, length: int) -> Mask:
    """Where the last ``length`` points are all true. It doubles the known window, in a few passes over bytes."""
    known, window = 1, mask
    while known < length:
        step = min(known, length - known)
        window = window[step:] & window[:-step]
        known += step
    return late(window, mask.size)


def several(mask: Mask, count: int, window: int) -> Mask:
    """Where a point is true, and at least ``count`` of the last ``window`` points are."""
    ones = mask.view(np.uint8)
    total = ones.copy()
    for back in range(1, window):
        total[back:] += ones[:-back]
    enough: Mask = total >= count
    return mask & enough


def late(mask: Mask, size: int) -> Mask:
    """Pads the mask at its start, because the first points cannot complete a pattern."""
    whole = np.zeros(size, dtype=np.bool_)
    whole[size - mask.size :] = mask
    return whole


def numpy_capability(x: Array) -> tuple[float, float, float, float]:
    """Cp, Cpk, Pp and Ppk of single measurements."""
    mean = x.mean()
    nearest, room = min(USL - mean, mean - LSL), USL - LSL
    within, overall = np.abs(np.diff(x)).mean() / D2, x.std(ddof=1)
    return room / (6 * within), nearest / (3 * within), room / (6 * overall), nearest / (3 * overall)


# The contenders. Each function imports its peer, so that a missing peer is a line of the table.


def llmscope_judge(x: Array) -> ls.Judgement:
    """Limits and rules, as a user of llmscope calls them."""
    return ls.individuals(x).judge()


def llmscope_capability(x: Array) -> tuple[Any, Any]:
    """Both families of indices, with their intervals."""
    return ls.capability(x, lsl=LSL, usl=USL), ls.performance(x, lsl=LSL, usl=USL)


def shewhart_judge(x: Array) -> Any:
    """Its chart applies the rules and creates a data frame of the points."""
    import shewhart

    return shewhart.imr(x, rules="nelson")


def shewhart_capability(x: Array) -> Any:
    """One call for all indices; it includes a test of normality that cannot be left out."""
    import shewhart

    return shewhart.capability(x, lsl=LSL, usl=USL)


def capstat_judge(x: Array) -> Any:
    """Its rules are a second call, for the chart of the level."""
    import capstat_core

    return capstat_core.nelson_rules(capstat_core.i_mr_chart(x).location)


def capstat_capability(x: Array) -> Any:
    """One call for all indices; it includes a test of normality that cannot be left out."""
    import capstat_core

    return capstat_core.capability(x, lsl=LSL, usl=USL)


def spc_lib_judge(x: Array) -> Any:
    """It needs a matrix of subgroups, and sigma computed from the limits. By default it judges 30 points."""
    from spc_lib.rules import detect_violations

    chart = spc_lib_chart(x)
    return detect_violations(chart.stat_main, chart.cl_main, (chart.ucl_main - chart.cl_main) / 3, last_n=None)


def spc_lib_capability(x: Array) -> Any:
    """Only the indices of the within sigma; it does not offer Pp and Ppk."""
    return spc_lib_chart(x).capability(lsl=LSL, usl=USL)


def spc_lib_chart(x: Array) -> Any:
    """Its individuals chart with limits."""
    from spc_lib import IMRChart

    return IMRChart(x.reshape(-1, 1)).fit()


FLOOR = Contender("np.sum", "`np.sum(x)`: one pass over the data", np.sum)

TASKS = [
    Task(
        "Limits and Nelson's eight rules",
        "rule 1 signals",
        [
            Contender(
                "llmscope",
                "`individuals(x).judge()`",
                llmscope_judge,
                lambda judgement: int(np.count_nonzero(judgement.signals_of("nelson-1"))),
            ),
            Contender("NumPy by hand", "`numpy_judge(x)`", numpy_judge, lambda masks: int(np.count_nonzero(masks[0]))),
            Contender(
                "shewhart",
                '`imr(x, rules="nelson")`',
                shewhart_judge,
                lambda result: sum(signal.rule == "nelson_1" for signal in result.signals),
            ),
            Contender(
                "capstat-core",
                "`nelson_rules(i_mr_chart(x).location)`",
                capstat_judge,
                lambda violations: sum(violation.rule == 1 for violation in violations),
            ),
            Contender(
                "spc-lib",
                "`IMRChart(x).fit()`, `detect_violations(…)`",
                spc_lib_judge,
                lambda violations: len(violations[1]),
            ),
            FLOOR,
        ],
    ),
    Task(
        "Capability: Cp, Cpk, Pp, Ppk",
        "Cpk",
        [
            Contender(
                "llmscope",
                "`capability(x, …)`, `performance(x, …)`, with intervals",
                llmscope_capability,
                lambda indices: indices[0].cpk,
            ),
            Contender("NumPy by hand", "`numpy_capability(x)`", numpy_capability, lambda indices: indices[1]),
            Contender(
                "shewhart",
                "`capability(x, …)`, with intervals and a normality test",
                shewhart_capability,
                lambda result: result.stats["cpk"],
            ),
            Contender(
                "capstat-core",
                "`capability(x, …)`, with a normality test",
                capstat_capability,
                lambda report: report.cpk,
            ),
            Contender(
                "spc-lib",
                "`IMRChart(x).fit().capability(…)`; Pp, Ppk not offered",
                spc_lib_capability,
                lambda indices: indices["cpk"],
            ),
            FLOOR,
        ],
    ),
]


# Timing.


def measured(task: Task, series: Sequence[Array], repeat: int) -> list[Row]:
    """The rows of a task, by size and then by contender."""
    rows: list[Row] = []
    for x in series:
        reference: Row | None = None
        for contender in task.contenders:
            row = row_of(contender, x, repeat, last_pace(contender, rows), reference)
            reference = reference or row
            rows.append(row)
    return rows


def last_pace(contender: Contender, rows: Iterable[Row]) -> float | None:
    """Seconds per point at the largest size at which a contender was timed."""
    timed = [row.ns_per_point for row in rows if row.package == contender.package and row.ns_per_point is not None]
    return timed[-1] / 1e9 if timed else None


def row_of(contender: Contender, x: Array, repeat: int, pace: float | None, reference: Row | None) -> Row:
    """Times one contender at one size, or reports the reason why not."""

    def without_time(why: str) -> Row:
        return Row(x.size, contender.package, contender.call, None, None, None, why)

    try:
        contender.run(x[:SMALLEST])
        expected = x.size * (pace or fastest(contender.run, x[:SMALLEST], 1)[0] / SMALLEST)
        if expected > LONGEST_S:
            return without_time(f"skipped (would take about {expected:.0f} s)")
        seconds, result = fastest(contender.run, x, repeat)
    except ModuleNotFoundError as error:
        return without_time(f"not installed ({error.name})")
    except Exception as error:  # An error of a peer becomes a line of the table; the other results are kept.
        return without_time(f"failed ({type(error).__name__}: {error})")
    answer = float(contender.answer(result)) if contender.answer else None
    ns = seconds * 1e9 / x.size
    ratio = ns / reference.ns_per_point if reference and reference.ns_per_point else 1.0
    return Row(x.size, contender.package, contender.call, ns, ratio, answer, remark(answer, reference))


def fastest(run: Callable[[Array], Any], x: Array, repeat: int) -> tuple[float, Any]:
    """Seconds of one call, and its result. It takes the minimum of several runs, because noise only adds time."""
    calls, done, best = 1, 0, math.inf
    while done < repeat:
        began = time.perf_counter()
        for _ in range(calls):
            result = run(x)
        elapsed = time.perf_counter() - began
        if elapsed < SHORTEST_S:
            calls *= 2
            continue
        best = min(best, elapsed / calls)
        done += 1
    return best, result


def remark(answer: float | None, reference: Row | None) -> str:
    """Compares an answer with the reference, which is llmscope's."""
    if answer is None:
        return "—"
    if reference is None or reference.answer is None:
        return number(answer)
    return "agrees" if agree(answer, reference.answer) else f"differs ({number(answer)})"


# Imports.

TINY = "[0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]"
STARTS_MEASURED = [
    Start("`import numpy`", "import numpy"),
    Start("`import llmscope`", "import llmscope"),
    Start("llmscope, with first call", f"import llmscope; llmscope.individuals({TINY}).judge()"),
    Start("`import shewhart`", "import shewhart"),
    Start("shewhart, with first call", f"import shewhart; shewhart.imr({TINY}, rules='nelson')"),
    Start("`import capstat_core`", "import capstat_core"),
    Start(
        "capstat-core, with first call",
        f"import capstat_core as cs; cs.nelson_rules(cs.i_mr_chart({TINY}).location)",
    ),
    Start("`import spc_lib`", "import spc_lib"),
    Start(
        "spc-lib, with first call",
        "import numpy, spc_lib; from spc_lib.rules import detect_violations; "
        f"chart = spc_lib.IMRChart(numpy.array({TINY}).reshape(-1, 1)).fit(); "
        "detect_violations(chart.stat_main, chart.cl_main, (chart.ucl_main - chart.cl_main) / 3, last_n=None)",
    ),
]


def measured_starts() -> list[StartRow]:
    """Imports in fresh interpreters, in rounds, so that a slow phase of the machine affects all packages."""
    best: dict[str, float] = {}
    for _ in range(STARTS):
        for start in STARTS_MEASURED:
            seconds = start_seconds(start.code)
            if seconds is not None:
                best[start.name] = min(seconds, best.get(start.name, math.inf))
    numpy_alone = best[STARTS_MEASURED[0].name]
    return [
        StartRow(start.name, best[start.name] * 1e3, best[start.name] / numpy_alone)
        if start.name in best
        else StartRow(start.name, None, None)
        for start in STARTS_MEASURED
    ]


def start_seconds(code: str) -> float | None:
    """Seconds of code in a fresh interpreter, without the interpreter's start; None if the code fails."""
    timed = f"import time; began = time.perf_counter(); {code}; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", timed], cwd=SCRIPT.parent, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


# Output.


def table_of(task: Task, rows: Iterable[Row]) -> str:
    """The table of a task."""
    return markdown(
        ["n", "package", "call", "ns per point", "vs llmscope", task.compared],
        [[f"{row.n:,}", row.package, row.call, number(row.ns_per_point), times(row.ratio), row.remark] for row in rows],
    )


def table_of_starts(rows: Iterable[StartRow]) -> str:
    """The table of imports."""
    return markdown(
        ["fresh interpreter", "ms", "vs import numpy"],
        [[row.name, number(row.milliseconds) if row.ratio else "failed", times(row.ratio)] for row in rows],
    )


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def times(ratio: float | None) -> str:
    """A ratio as a factor."""
    return f"×{number(ratio)}" if ratio is not None else "—"


def number(value: float | None) -> str:
    """A rounded number: an integer from a hundred on, else four significant digits."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def surroundings() -> str:
    """Versions and machine, which the ratios depend on."""
    packages = ["numpy", "scipy", "pandas", "shewhart", "capstat-core", "spc-lib"]
    versions = ", ".join([f"llmscope {ls.__version__}", *(f"{name} {version(name)}" for name in packages)])
    return (
        f"{versions}; {platform.python_implementation()} {platform.python_version()}; "
        f"{processor()}, {os.cpu_count()} logical processors, {platform.system()}.\n"
        "These are ratios of one run on this machine. Other machines and runs give other ratios."
    )


def version(package: str) -> str:
    """The installed version."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The processor's model. Linux has it in a file; on some other systems Python reports it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def as_json(results: dict[str, list[Row]], imports: list[StartRow], environment: str) -> str:
    """All results, unrounded."""
    document = {
        "tasks": {title: [asdict(row) for row in rows] for title, rows in results.items()},
        "imports": [asdict(row) for row in imports],
        "environment": environment,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(options())
