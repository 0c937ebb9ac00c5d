"""Whether estimates of another policy are those of the Open Bandit Pipeline, and near what that policy really earned.

    python -m bench.experiments_off_policy

From 10,000 items that Thompson sampling showed on a fashion site, what would items shown uniformly have earned? The log
of the uniform policy, 10,000 more, says what they did. obp runs in an environment of its own, with the same model of
clicks. Fails where an estimate differs from obp's by more than 1e-9.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.peer_environment import PEERS, peer_python
from include.experiments.evaluation.cells import Cells
from include.experiments.evaluation.estimators import direct, doubly_robust, inverse_propensity, self_normalised
from include.experiments.evaluation.overlap import measure_overlap
from include.stats.wilson import wilson_interval

BAR = 1e-9


def main() -> int:
    """Compare every estimate, print the table, and say by the exit code whether all are the same."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "obp.npz"
        python = peer_python("off_policy", with_dependencies=False)
        subprocess.run([str(python), str(PEERS / "open_bandit.py"), str(found)], check=True)
        logged = dict(np.load(found))
    click, predicted = logged["click"], logged["predicted"]
    policy = np.full(predicted.shape, 1 / predicted.shape[1])
    cells = Cells(logged["arm"].astype(np.intp), logged["propensity"], policy, np.ones(len(click)), click, click**2)
    ours = {
        "ips": inverse_propensity(cells),
        "snips": self_normalised(cells),
        "dm": direct(cells, predicted),
        "dr": doubly_robust(cells, predicted),
        "switch_dr": doubly_robust(cells, predicted, 10.0),
    }
    truth = logged["truth"]
    low, high = wilson_interval(float(truth.sum()), len(truth))
    overlap = measure_overlap(cells)
    print("| estimator | clicks of 1,000 | 95 % | difference to obp |\n|---|---|---|---|")
    worst = 0.0
    for name, estimate in ours.items():
        difference = abs(estimate.value - float(logged[f"obp_{name}"]))
        worst = max(worst, difference)
        ends = f"{1_000 * estimate.low:.2f} to {1_000 * estimate.high:.2f}"
        print(f"| {name} | {1_000 * estimate.value:.2f} | {ends} | {difference:.1e} |")
    print(f"| what it did | {1_000 * truth.mean():.2f} | {1_000 * low:.2f} to {1_000 * high:.2f} | |")
    print(
        f"\n{overlap.n_effective:,.0f} effective of {overlap.n_units:,} units, largest weight "
        f"{overlap.largest_weight:.0f}, mean weight {overlap.mean_weight:.2f} "
        f"({overlap.low_mean_weight:.2f} to {overlap.high_mean_weight:.2f})"
    )
    return int(worst > BAR)


if __name__ == "__main__":
    sys.exit(main())
