"""Let MABWiser share out people in batches; run by bench/experiments_allocation.py in the peer's environment."""

import sys

import numpy as np
from mabwiser.mab import MAB, LearningPolicy

POLICIES = {
    "thompson": LearningPolicy.ThompsonSampling(),
    "epsilon greedy": LearningPolicy.EpsilonGreedy(epsilon=0.1),
    "ucb1": LearningPolicy.UCB1(alpha=1.25),
}


def earn(answers: np.ndarray, sizes: list[int], policy: LearningPolicy, seed: int) -> int:
    """Send one run's people in batches; answers has shape (n_arms, n_people), in the order each arm gives them."""
    n_arms = len(answers)
    bandit = MAB(list(range(n_arms)), policy, seed=seed)
    next_of, earned = np.zeros(n_arms, dtype=int), 0
    for place, size in enumerate(sizes):
        # The first batch is shared alike, as for every other rule.
        sent = np.arange(size) % n_arms if place == 0 else np.asarray(bandit.predict(np.zeros((size, 1))))
        rewards = np.zeros(size)
        for arm in range(n_arms):
            is_sent = sent == arm
            n = int(is_sent.sum())
            rewards[is_sent] = answers[arm, next_of[arm] : next_of[arm] + n]
            next_of[arm] += n
        bandit.partial_fit(sent, rewards) if place else bandit.fit(sent, rewards)
        earned += int(rewards.sum())
    return earned


if __name__ == "__main__":
    streams, out, n_runs = np.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    n_people = int(streams["n_people"])
    answers = np.unpackbits(streams["answers"][:n_runs], axis=2, count=n_people)
    sizes = streams["sizes"].tolist()
    earned = {
        name: [earn(run, sizes, policy, seed) for seed, run in enumerate(answers)] for name, policy in POLICIES.items()
    }
    np.savez(out, **{name: np.array(values) for name, values in earned.items()})
