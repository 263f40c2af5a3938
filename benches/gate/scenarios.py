"""Two builds with a known difference, and the runs that measure them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEED = 20261130
REQUESTS = 500
"""Requests of a run."""
TTFT_S = 0.2
TTFT_SIGMA = 0.4
"""The standard deviation of the logarithm of a request's time to first token."""
START_S, TOKEN_S, E2E_SIGMA = 0.3, 0.02, 0.2
"""An answer takes ``START_S`` and ``TOKEN_S`` for each token; the standard deviation is that of its logarithm."""


@dataclass(frozen=True)
class Run:
    """The requests of one run in their order."""

    metric: str
    values: Array
    """Latencies in seconds; NaN for a failed request."""
    tokens: NDArray[np.int64] | None = None

    @property
    def succeeded(self) -> Array:
        """The latencies of the successful requests."""
        return self.values[~np.isnan(self.values)]

    @property
    def failed(self) -> int:
        """The number of failed requests."""
        return int(np.isnan(self.values).sum())


@dataclass(frozen=True)
class Scenario:
    """What differs between the builds, and what else varies."""

    about: str
    truth: str
    """``unchanged`` or ``worse``."""
    runs: int = 5
    """Runs of each build."""
    run_sd: float = 0.0
    """The standard deviation of the logarithm of what a run multiplies all of its latencies by."""
    shift: float = 1.0
    failing: float = 0.0
    """The share of each run's requests that fail at the end, in the candidate."""
    failing_runs: int | None = None
    """The number of the candidate's runs that fail so; all of them by default."""
    failures_a_side: int = 0
    """Requests that fail in each build, at a random place of the first run."""
    tokens: float | None = None
    """The factor of the candidate's answers' lengths; the metric is then the end-to-end latency."""

    def draw(self, trial: int) -> tuple[list[Run], list[Run]]:
        """The runs of the baseline and of the candidate."""
        rng = np.random.default_rng([SEED, SCENARIOS.index(self), trial])
        return self.side(rng, candidate=False), self.side(rng, candidate=True)

    def side(self, rng: np.random.Generator, candidate: bool) -> list[Run]:
        """The runs of one build."""
        runs = []
        for number in range(self.runs):
            factor = np.exp(self.run_sd * rng.standard_normal()) * (self.shift if candidate else 1.0)
            if self.tokens is None:
                tokens = None
                values = TTFT_S * np.exp(TTFT_SIGMA * rng.standard_normal(REQUESTS))
            else:
                # Both builds get the same prompts.
                lengths = np.random.default_rng([SEED, number]).lognormal(5, 0.8, REQUESTS)
                tokens = np.maximum(np.round(lengths * (self.tokens if candidate else 1.0)), 1).astype(np.int64)
                values = (START_S + TOKEN_S * tokens) * np.exp(E2E_SIGMA * rng.standard_normal(REQUESTS))
            values = factor * values
            if candidate and (self.failing_runs is None or number < self.failing_runs):
                values[REQUESTS - round(self.failing * REQUESTS) :] = np.nan
            if number == 0:
                values[rng.choice(REQUESTS, self.failures_a_side, replace=False)] = np.nan
            runs.append(Run("ttft" if tokens is None else "e2el", values, tokens))
        return runs


SCENARIOS = [
    Scenario("unchanged, run sd 0", "unchanged"),
    Scenario("unchanged, run sd 10 %", "unchanged", run_sd=0.1),
    Scenario("unchanged, run sd 10 %, three runs", "unchanged", run_sd=0.1, runs=3),
    Scenario("unchanged, run sd 10 %, one run", "unchanged", run_sd=0.1, runs=1),
    Scenario("unchanged, run sd 2 %, one failed request on each side", "unchanged", run_sd=0.02, failures_a_side=1),
    Scenario("1.3 times the tokens on the same server, run sd 2 %", "unchanged", run_sd=0.02, tokens=1.3),
    Scenario("15 % slower, run sd 2 %", "worse", run_sd=0.02, shift=1.15),
    Scenario("15 % slower, run sd 10 %", "worse", run_sd=0.1, shift=1.15),
    Scenario("40 % slower, run sd 10 %", "worse", run_sd=0.1, shift=1.4),
    Scenario("20 % slower server, same tokens, run sd 2 %", "worse", run_sd=0.02, shift=1.2, tokens=1.0),
    Scenario("the last 10 % of each run fail, run sd 2 %", "worse", run_sd=0.02, failing=0.1),
    Scenario("the last 25 % of each run fail, run sd 2 %", "worse", run_sd=0.02, failing=0.25),
    Scenario("the last 25 % of one run fail, run sd 2 %", "worse", run_sd=0.02, failing=0.25, failing_runs=1),
]
