"""Long calls let other threads run, respond to Ctrl-C and copy no data; bad input never aborts the interpreter."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import llmscope as ls

LONG = 20_000_000


def test_other_threads_run_during_a_long_call() -> None:
    values = np.random.default_rng(13).normal(0.3, 0.02, LONG)
    ticks, done = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = ticks
    ls.individuals(values).judge()
    during = ticks - begin
    done.set()
    thread.join()
    assert during > 20


def test_ctrl_c_interrupts_a_long_call() -> None:
    program = textwrap.dedent(
        f"""
        import signal
        import numpy as np, llmscope as ls
        # If the tests run in the background, the shell has disabled the signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        chart = ls.individuals(np.random.default_rng(14).normal(0, 1, {3 * LONG}))
        print("ready", flush=True)
        try:
            for _ in range(100):
                chart.judge()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            assert len(chart) == {3 * LONG}
            ls.individuals([1.0, 2.0]).judge()
            print("continues", flush=True)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        waited = time.monotonic() - begin
        assert process.stdout.readline() == "continues\n"
    assert process.returncode == 0
    # A bound for interactive use, not a benchmark.
    assert waited < 1.0


def test_a_forked_process_judges_like_its_parent() -> None:
    # multiprocessing forks on Linux: a thread pool would not exist in the child, and the call would never return.
    program = textwrap.dedent(
        f"""
        import os, numpy as np, llmscope as ls
        values = np.random.default_rng(16).normal(0, 1, {LONG // 10})
        expected = len(ls.individuals(values).judge().violations)
        child = os.fork()
        if child == 0:
            os._exit(int(len(ls.individuals(values).judge().violations) != expected))
        assert os.waitpid(child, 0)[1] == 0
        """
    )
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("kind", ["numpy", "polars", "pyarrow"])
def test_contiguous_floats_are_not_copied(kind: str) -> None:
    program = textwrap.dedent(
        f"""
        import resource, numpy as np, llmscope as ls
        values = np.random.default_rng(15).normal(0.3, 0.02, {LONG})
        if "{kind}" == "polars":
            import polars as pl
            values = pl.Series(values)
        if "{kind}" == "pyarrow":
            import pyarrow as pa
            values = pa.array(values)
        ls.individuals([1.0, 2.0])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        chart = ls.individuals(values)
        index = ls.capability(values, usl=0.4)
        ls.performance(values, usl=0.4), ls.moments(values), ls.autocorrelation(values)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        assert len(chart) == {LONG} and index.cpk > 1
        print(grown)
        """
    )
    grown = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
    assert grown < LONG * 8 / 20, f"{grown} bytes for {LONG * 8}"


def test_bad_input_never_aborts_the_interpreter() -> None:
    hostile: list[Any] = [
        None, 1, "x", b"x", object(), {}, [], [[]], [None], [[1.0], 2.0], float("nan"), [1e308, -1e308], [1e76],
        [float("inf")], np.array(3.0), np.zeros((0, 3)), np.zeros((2, 2, 2)), np.array(["x"]), np.array([None, "x"]),
        pl.Series(["x"]), pl.Series([[1.0]]), pa.array([{"a": 1}]), pa.table({"a": [1]}), pl.DataFrame(), range(0),
        [10**400], [True, False], iter([1.0]), Ellipsis, int, np.ma.masked_all(3), np.datetime64("now"),
    ]
    functions = [
        ls.individuals, ls.xbar, ls.attributes, ls.ewma, ls.moments, ls.sigma, ls.anderson_darling, ls.autocorrelation,
        ls.analyze, lambda x: ls.capability(x, usl=1.0), lambda x: ls.performance(x, usl=1.0),
        lambda x: ls.judge(x, 0.0, 1.0), lambda x: ls.judge([1.0], x, x), lambda x: ls.quantile(x, 0.5),
        lambda x: ls.quantile([1.0], x), lambda x: ls.Monitor(0.0, 1.0).push_many(x), lambda x: ls.RuleSet(x),
        lambda x: ls.attributes([1.0, 2.0], x), lambda x: ls.xbar([1.0, 2.0, 3.0, 4.0], x), lambda x: ls.factors(x),
        lambda x: ls.Rule("a", x), lambda x: ls.analyze({"x": x}, metric="x"), lambda x: ls.read_log(x),
        lambda x: ls.individuals([1.0, 2.0], stages=x), lambda x: ls.individuals([1.0, 2.0], bounds=x),
    ]
    refused = 0
    for function in functions:
        for value in hostile:
            try:
                function(value)
            except (TypeError, ValueError, OverflowError, OSError):
                refused += 1
    assert refused > len(functions) * 10


def test_integers_without_end_are_refused() -> None:
    for parameter in (-1, 2**70, 10**30):
        with pytest.raises((OverflowError, ls.Error, TypeError)):
            ls.xbar([1.0, 2.0, 3.0, 4.0], parameter)
        with pytest.raises((OverflowError, ls.Error)):
            ls.d2(parameter)
    with pytest.raises((OverflowError, ls.Error)):
        ls.RuleSet().with_length("2", 2**63)
    assert ls.autocorrelation([1.0, 2.0, 3.0], 2**62) is None


def test_peak_memory_can_be_measured_here() -> None:
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 1000
