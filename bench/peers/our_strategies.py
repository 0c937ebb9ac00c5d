"""Our strategies in the shared loop: `python our_strategies.py FILE NAME FIRST_SEED N_SEEDS`, in our environment."""

from typing import Any

import numpy as np
from learning_loop import State, Strategy, main, start_by_chance

from include.review.describing import NEAR_TEXTS
from include.review.diversity import choose_diverse
from include.review.pool import shortlist_size
from include.review.sampling import choose_most_uncertain, margin_doubt, predictive_entropy


def _by_chance(state: State, n_chosen: int) -> Any:
    return state.rng.choice(state.rest, n_chosen, replace=False)


def _most_uncertain(measure: Any) -> Strategy:
    def ask(state: State, n_chosen: int) -> Any:
        rest = state.rest
        return rest[choose_most_uncertain(measure(state.proba(rest)), rest.astype(str), n_chosen)]

    return ask


def _varied(state: State, n_chosen: int) -> Any:
    rest = state.rest
    entropy = predictive_entropy(state.proba(rest))
    best = choose_most_uncertain(entropy, rest.astype(str), shortlist_size(n_chosen, len(rest)))
    chosen = choose_diverse(state.vectors[rest[best]], entropy[best], n_chosen, state.rng, near_distance=NEAR_TEXTS)
    return rest[best[chosen]]


def _spread(state: State, n_chosen: int) -> Any:
    weights = np.ones(len(state.y))
    return choose_diverse(state.vectors, weights, n_chosen, state.rng, near_distance=NEAR_TEXTS)


STRATEGIES: dict[str, tuple[Strategy, Strategy]] = {
    "ours: random": (start_by_chance, _by_chance),
    "ours: entropy": (start_by_chance, _most_uncertain(predictive_entropy)),
    "ours: margin": (start_by_chance, _most_uncertain(margin_doubt)),
    "ours: varied": (start_by_chance, _varied),
    "ours: spread, then varied": (_spread, _varied),
}

if __name__ == "__main__":
    main(STRATEGIES)
