"""Estimate by obp, on the Open Bandit logs in its wheel; run by bench/experiments_off_policy.py in obp's environment.

Only its estimators are loaded: the package around them imports PyTorch, which none of them needs for arrays.
"""

import csv
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np

FOLDER = Path(importlib.util.find_spec("obp").origin).parent


def load_estimators():
    """Load obp's estimators without the package's own imports."""
    sys.modules["torch"] = types.SimpleNamespace(Tensor=type("Tensor", (), {}))
    for name, path in (("obp", FOLDER), ("obp.ope", FOLDER / "ope")):
        module = types.ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module
    return importlib.import_module("obp.ope.estimators")


def read_log(policy: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read arms, clicks and propensities of one policy's log."""
    with (FOLDER / "dataset" / "obd" / policy / "all" / "all.csv").open(encoding="utf-8") as file:
        rows = [(row["item_id"], row["click"], row["propensity_score"]) for row in csv.DictReader(file)]
    columns = np.array(rows, dtype=np.float64)
    return columns[:, 0].astype(int), columns[:, 1], columns[:, 2]


if __name__ == "__main__":
    estimators = load_estimators()
    arm, click, propensity = read_log("bts")
    n, n_arms = len(arm), int(arm.max()) + 1
    policy = np.full((n, n_arms, 1), 1 / n_arms)
    # A model that differs from unit to unit, so that no estimate is right by accident.
    means = np.array([click[arm == place].mean() if (arm == place).any() else click.mean() for place in range(n_arms)])
    predicted = means + np.random.default_rng(1).normal(0, 0.001, (n, n_arms))
    given = {"reward": click, "action": arm, "pscore": propensity, "action_dist": policy}
    modelled = given | {"estimated_rewards_by_reg_model": predicted[:, :, None], "position": np.zeros(n, dtype=int)}
    found = {
        "ips": estimators.InverseProbabilityWeighting().estimate_policy_value(**given),
        "snips": estimators.SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**given),
        "dm": estimators.DirectMethod().estimate_policy_value(**modelled),
        "dr": estimators.DoublyRobust().estimate_policy_value(**modelled),
        "switch_dr": estimators.SwitchDoublyRobust(tau=10.0).estimate_policy_value(**modelled),
    }
    logged = {"arm": arm, "click": click, "propensity": propensity, "predicted": predicted}
    np.savez(
        sys.argv[1], **logged, truth=read_log("random")[1], **{f"obp_{name}": value for name, value in found.items()}
    )
