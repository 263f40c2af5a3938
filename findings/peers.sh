#!/usr/bin/env bash
# Two surprises about searches for change points, seen while they were compared (docs/change-points.md).
#
# 1. apache-otava 0.8.0: the p-value of its t-test is not that of SciPy's t-test of the same values. It passes standard
#    deviations with divisor n where SciPy's ttest_ind_from_stats expects n - 1, so p is too small, most in short
#    segments.
# 2. skchange 0.18.0: with default penalties, the changes that it finds depend on the unit. A series without a change has
#    none in seconds, and many in milliseconds.
#
# Installs the pinned packages in a temporary folder and needs nothing of this repository. Exits with 1 if the behavior
# differs from the above.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check apache-otava==0.8.0 skchange==0.18.0

"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from otava.analysis import TTestSignificanceTester
from scipy import stats
from skchange.detectors import PELT, MovingWindow, SeededBinarySegmentation

as_seen = True
for package in ("apache-otava", "skchange", "scipy", "numpy"):
    print(package, importlib.metadata.version(package))

print("\n1. The same t-test, p by Otava and by SciPy")
for before, after in (([1, 2], [4, 5]), ([10, 11, 12], [13, 14, 16]), ([10, 12, 11, 13, 9], [12, 14, 13, 15, 11])):
    otava = float(TTestSignificanceTester(0.05).compare(before, after).pvalue)
    scipy = float(stats.ttest_ind(before, after).pvalue)
    # n/(n - 1) of the variance is all that differs.
    n = len(before)
    t = float(stats.ttest_ind(before, after).statistic) * np.sqrt(n / (n - 1))
    explained = float(2 * stats.t.sf(abs(t), 2 * n - 2))
    print(f"{before} and {after}: {otava:.4f}, {scipy:.4f}")
    as_seen &= otava < 0.85 * scipy and abs(otava - explained) < 1e-9

print("\n2. Changes of 300 independent values around 0.1 s, which never change")
seconds = 0.1 * np.exp(0.5 * np.random.default_rng(1).standard_normal((300, 1)))
for search in (SeededBinarySegmentation, MovingWindow, PELT):
    found = [len(search().fit_predict(unit * seconds)) for unit in (1, 1000)]
    print(f"{search.__name__}(): {found[0]} in seconds, {found[1]} in milliseconds")
    as_seen &= found[0] == 0 and found[1] > 10

print("\nas seen before" if as_seen else "\nthe behavior has changed")
sys.exit(0 if as_seen else 1)
PYTHON
