"""What crowd-kit's Dawid-Skene and cleanlab's consensus make of drawn answers; runs in the peers' environment.

python crowd_truth.py DRAWS.npz FOUND.npz
"""

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
from crowdkit.aggregation import DawidSkene


def dawid_skene(item: Any, person: Any, label: Any, n_items: int) -> Any:
    """Label every item by Dawid and Skene, as crowd-kit does by default."""
    frame = pd.DataFrame({"task": item, "worker": person, "label": label})
    return DawidSkene(n_iter=100).fit_predict(frame).reindex(range(n_items)).to_numpy()


def crowdlab(item: Any, person: Any, label: Any, n_items: int) -> Any:
    """Label every item by CROWDLAB, with the shares of the classes in the place of a model that nobody has."""
    if np.bincount(item).max() == 1:  # cleanlab refuses these: what the one person said stands
        return label[np.argsort(item)]
    people, column = np.unique(person, return_inverse=True)
    table = np.full((n_items, len(people)), np.nan)
    table[item, column] = label
    share = np.bincount(label, minlength=2) / len(label)
    model = np.tile(share, (n_items, 1))
    found = get_label_quality_multiannotator(
        table, model, return_detailed_quality=False, return_annotator_stats=False, verbose=False
    )
    return found["label_quality"]["consensus_label"].to_numpy()


def main(arguments: list[str]) -> None:
    """Label every draw."""
    warnings.simplefilter("ignore")
    draws = dict(np.load(arguments[0]))
    found = {}
    for name in sorted({key.split(" ")[0] for key in draws}):
        one = [draws[f"{name} {part}"] for part in ("item", "person", "label")]
        for peer in (dawid_skene, crowdlab):
            found[f"{name} {peer.__name__}"] = np.asarray(peer(*one, int(draws[f"{name} n_items"])), dtype=np.int64)
    np.savez(arguments[1], **found)


if __name__ == "__main__":
    main(sys.argv[1:])
