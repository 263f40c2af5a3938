"""The best that any search could do on the two steps: it knows everything but the places.

It knows that the logarithms are a Gaussian autoregression, its ρ and σ, and that there are exactly two changes. It takes
the places of the largest likelihood ratio, by generalized least squares. The threshold of its test is the quantile of
the same ratio in stable series.
"""

from __future__ import annotations

import numpy as np
from series import N, Array, autoregression, two_steps

FEWEST = 10
SIGMA = 0.5
SERIES = 2000


class Oracle:
    """The likelihood ratio of two changes of the mean of an autoregression with this correlation."""

    def __init__(self, rho: float) -> None:
        self.rho = rho
        places = np.arange(FEWEST, N - FEWEST + 1)
        first, second = (grid.ravel() for grid in np.meshgrid(places, places, indexing="ij"))
        apart = second - first >= FEWEST
        self.first, self.second = first[apart], second[apart]
        # The whitened mean, and whitened steps from each place on.
        self.mean = np.full(N, 1 - rho)
        self.mean[0] = np.sqrt(1 - rho * rho)
        self.steps = np.triu(np.full((N, N), 1 - rho), 1) + np.eye(N)
        self.on_mean = self.steps @ self.mean / (self.mean @ self.mean)
        gram = self.steps @ self.steps.T - np.outer(self.on_mean, self.steps @ self.mean)
        a, b, c = gram[self.first, self.first], gram[self.second, self.second], gram[self.first, self.second]
        variance = 1 - rho * rho
        determinant = (a * b - c * c) * variance
        self.weights = b / determinant, a / determinant, -2 * c / determinant

    def best(self, noise: Array) -> tuple[float, list[int]]:
        """The largest likelihood ratio of values of variance 1, and its places."""
        whitened = noise.copy()
        whitened[1:] -= self.rho * noise[:-1]
        whitened[0] *= self.mean[0]
        scores = self.steps @ whitened - self.on_mean * (self.mean @ whitened)
        u, v = scores[self.first], scores[self.second]
        ratios = self.weights[0] * u * u + self.weights[1] * v * v + self.weights[2] * u * v
        best = int(ratios.argmax())
        return float(ratios[best]), [int(self.first[best]), int(self.second[best])]

    def recalls(self, levels: list[float], seed: int) -> tuple[float, list[float]]:
        """The share of the changes that it places within the tolerance, without a test and at each level."""
        from score import matched

        rng = np.random.default_rng(seed)
        stable = [self.best(autoregression(rng, N, self.rho))[0] for _ in range(SERIES)]
        changed = [self.best(np.log(two_steps(autoregression(rng, N, self.rho))[0] / 100) / SIGMA) for _ in range(SERIES)]
        pairs = np.array([(ratio, matched(places, [100, 200]) / 2) for ratio, places in changed])
        limits = np.quantile(stable, [1 - level for level in levels])
        return float(pairs[:, 1].mean()), [float((pairs[:, 1] * (pairs[:, 0] > limit)).mean()) for limit in limits]
