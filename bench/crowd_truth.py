"""Truth inferred from several people's answers, beside majority, crowd-kit and cleanlab; and who reads nothing.

    python -m bench.crowd_truth FOLDER

FOLDER has `answers.parquet`: comment, worker and answer of real workers who agree little. Of comments with seven
answers 1, 2 or 3 are drawn, and the majority of the others is what is right; a label that is torn between two classes
counts half. "Elsewhere" adds the answers to all other comments, by which workers are known. The second part needs no
folder: crowds drawn from known people, for the coverage of the shares of right answers, and for who is named.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.peer_environment import PEERS, peer_python
from include.stats.answer_quality import measure_quality
from include.stats.truth_inference import Answers, index_answers, infer_truth, settle

CLASSES = ("civil", "toxic")
N_DRAWS, N_CROWDS, N_HONEST, N_GIVEN, N_FULL = 10, 40, 100, 50, 7
CROWDS = (
    # answers an item, share of right answers, classes
    (3, 0.9, 2),
    (3, 0.8, 2),
    (2, 0.85, 2),
    (3, 0.8, 3),
    (3, 0.7, 2),
)


def draw(answers: pd.DataFrame, n_drawn: int, seed: int, *, is_elsewhere: bool) -> tuple[Answers, NDArray[np.int64]]:
    """Draw answers of the comments with seven; what is right is -1 where the others are split, or nothing is asked."""
    rng = np.random.default_rng(seed)
    n_of = answers.groupby("comment")["answer"].transform("size")
    full = answers[n_of == N_FULL].assign(at=rng.random(int((n_of == N_FULL).sum())))
    is_drawn = full.groupby("comment")["at"].rank() <= n_drawn
    used = full[is_drawn] if not is_elsewhere else pd.concat([full[is_drawn], answers[n_of != N_FULL]])
    numbered, items, _ = index_answers(*(used[name].tolist() for name in ("comment", "worker", "answer")), CLASSES)
    share = (full[~is_drawn]["answer"] == CLASSES[1]).groupby(full["comment"]).mean().reindex(items)
    right = np.where(share > 0.5, 1, np.where(share < 0.5, 0, -1))
    return numbered, right


def score(label: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Say which share of the labels is right; what is torn counts half."""
    asked = right >= 0
    return float(np.where(label[asked] < 0, 0.5, label[asked] == right[asked]).mean())


def most_named(answers: Answers) -> NDArray[np.int64]:
    """Label items by heads alone; -1 for a tie."""
    votes = answers.count_votes()
    return np.where(votes[:, 0] == votes[:, 1], -1, votes.argmax(axis=1))


def compare(folder: Path) -> bool:
    """Print the shares of right labels; say whether ours is nowhere below another."""
    answers = pd.read_parquet(folder / "answers.parquet")
    drawn = {
        f"{n}-{elsewhere:d}-{seed}": draw(answers, n, seed, is_elsewhere=elsewhere)
        for elsewhere in (False, True)
        for n in (1, 2, 3)
        for seed in range(N_DRAWS)
    }
    with tempfile.TemporaryDirectory() as temporary:
        asked, found = Path(temporary) / "draws.npz", Path(temporary) / "found.npz"
        parts = ("item", "person", "label", "n_items")
        np.savez(asked, **{f"{name} {part}": getattr(one, part) for name, (one, _) in drawn.items() for part in parts})
        subprocess.run([peer_python("crowd_truth"), PEERS / "crowd_truth.py", asked, found], check=True)
        theirs = dict(np.load(found))
    print("| drawn | workers known elsewhere | ours | majority | crowd-kit | cleanlab | ours, likeliest class |")
    print("|---|---|---|---|---|---|---|")
    is_met = True
    for elsewhere in (False, True):
        for n in (1, 2, 3):
            scores = []
            for seed in range(N_DRAWS):
                name = f"{n}-{elsewhere:d}-{seed}"
                one, right = drawn[name]
                truth = infer_truth(one)
                peers = [theirs[f"{name} {peer}"] for peer in ("dawid_skene", "crowdlab")]
                labels = [settle(one, truth)[0], most_named(one), *peers, truth.posterior.argmax(axis=1)]
                scores.append([score(label, right) for label in labels])
            means = np.mean(scores, axis=0)
            is_met &= bool(means[0] >= means[1:4].max() - 1e-9)
            print(
                f"| {n} | {'yes' if elsewhere else 'no'} | {' | '.join(f'{mean:.4f}' for mean in means)} |", flush=True
            )
    _name_in_real(answers)
    return is_met


def _name_in_real(answers: pd.DataFrame) -> None:
    """Put a script and a coin among the real workers, and print who is named."""
    rng = np.random.default_rng(0)
    comments = answers["comment"].unique()
    named = {"script": 0, "coin": 0}
    busiest: list[int] = []
    for _ in range(N_DRAWS):
        extra = [
            pd.DataFrame({"comment": rng.choice(comments, N_GIVEN, replace=False), "worker": who, "answer": said})
            for who, said in (("script", CLASSES[1]), ("coin", rng.choice(CLASSES, N_GIVEN)))
        ]
        both = pd.concat([answers, *extra])
        one, _, people = index_answers(*(both[name].tolist() for name in ("comment", "worker", "answer")), CLASSES)
        quality = measure_quality(one, infer_truth(one))
        is_named = dict(zip(people, quality.reads_nothing.tolist(), strict=True))
        for who in named:
            named[who] += is_named[who]
        busy = answers["worker"].value_counts().index[:N_HONEST]
        busiest.append(sum(is_named[who] for who in busy))
    print(f"\nreal workers: script named {named['script']} of {N_DRAWS}, coin {named['coin']} of {N_DRAWS}, of the")
    print(f"{N_HONEST} busiest workers {np.mean(busiest):.1f}")


def draw_crowd(
    rng: np.random.Generator, n_each: int, right: float, n_classes: int
) -> tuple[Answers, NDArray[np.float64]]:
    """Draw honest people who are right about as often as said, a coin and a script who answer 50 items each."""
    n_items = N_HONEST * N_GIVEN // n_each
    truth = rng.integers(0, n_classes, n_items)
    shares = np.clip(rng.normal(right, 0.05, N_HONEST), 0.05, 0.98)
    item = np.repeat(np.arange(n_items), n_each)
    person = np.concatenate([rng.choice(N_HONEST, n_each, replace=False) for _ in range(n_items)])
    wrong = (truth[item] + rng.integers(1, n_classes, len(item))) % n_classes
    label = np.where(rng.random(len(item)) < shares[person], truth[item], wrong)
    for who, said in ((N_HONEST, rng.integers(0, n_classes, N_GIVEN)), (N_HONEST + 1, np.zeros(N_GIVEN, np.int64))):
        item = np.concatenate([item, rng.choice(n_items, N_GIVEN, replace=False)])
        person, label = np.concatenate([person, np.full(N_GIVEN, who)]), np.concatenate([label, said])
    return Answers(item, person, label, n_items, N_HONEST + 2, n_classes), shares


def simulate() -> None:
    """Print how often the intervals hold the truth, and who is named within 50 answers."""
    print("\n| answers an item | right | classes | stated | held | coin named | script named | honest named, of 100 |")
    print("|---|---|---|---|---|---|---|---|")
    for n_each, right, n_classes in CROWDS:
        rows = []
        for seed in range(N_CROWDS):
            one, shares = draw_crowd(np.random.default_rng(seed), n_each, right, n_classes)
            quality = measure_quality(one, infer_truth(one))
            held = (quality.low[:N_HONEST] <= shares) & (shares <= quality.high[:N_HONEST])
            named = quality.reads_nothing
            rows.append([held.mean(), named[N_HONEST], named[N_HONEST + 1], named[:N_HONEST].sum()])
        held_share, coin, script, honest = np.mean(rows, axis=0)
        print(
            f"| {n_each} | {right} | {n_classes} | .95 | {held_share:.3f} | {coin:.2f} | {script:.2f} | {honest:.2f} |"
        )


def main(arguments: Sequence[str] = ()) -> int:
    """Print both parts; fail where ours is below another."""
    is_met = compare(Path(arguments[0])) if arguments else True
    simulate()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
