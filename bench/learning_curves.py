"""How many labels a strategy needs: ours beside scikit-activeml, small-text and modAL, on the same rows and model.

    python -m bench.learning_curves [FOLDER] [REPEATS]

FOLDER holds the sets that do not ship (`farm_ads`, `korean_hate_speech_beep`); where it is absent they are skipped, and
the table says so. 20 repeats, or REPEATS; in each a third is held out. Parts that were measured are kept under
`.mulgil/bench`, so that a run that was stopped goes on where it was; remove the folder to measure again. Prints a table
and draws `docs/pictures/learning_curves.svg`.

What `include/review` does was chosen on seeds from 1,000 on of the mails, Farm Ads and Korean moderation; these seeds
are 0 to 19, and on the other sets nothing was chosen.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import pyplot
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from bench.peer_environment import PEERS, peer_python
from bench.peers.learning_loop import N_START, N_STEP, N_STOP, auc_of, fit, load
from include.problems.sections.learning import Features, ModelName
from include.review.selection.embeddings import describe_items, readers_of
from include.settings import REPOSITORY

matplotlib.use("svg")  # draws without a screen
matplotlib.rcParams["svg.hashsalt"] = "learning_curves"  # the same picture from the same figures

N_A_CALL = 2  # repeats in one process: a piece that is soon done, and kept
SHARE_OF_FULL = 0.95
N_BOOTSTRAPS = 4_000
LATE_MINUTES, N_FLIGHTS = 120, 6_000  # one flight in thirty
PARTS = REPOSITORY / ".mulgil" / "bench" / "learning_curves"
PICTURE = REPOSITORY / "docs" / "pictures" / "learning_curves.svg"
SHIPPED, CHANCE = "ours: cover, then uncertainty", "ours: random"
OURS = [SHIPPED, CHANCE, "ours: entropy", "ours: margin"]
THEIRS = [
    *(f"scikit-activeml {name}" for name in ("CoreSet", "TypiClust", "ProbCover", "MaxHerding", "BADGE", "margin")),
    "small-text lightweight coreset",
    "modAL ranked batch",
]
COUNTS = np.arange(N_START, N_STOP + 1, N_STEP)


@dataclass(frozen=True)
class RowSet:
    """Rows with classes: what the model reads, and the frame that describes them."""

    words: Any
    frame: pd.DataFrame
    features: Features
    models: Sequence[ModelName]
    y: NDArray[np.int64]


def read_sets(folder: Path) -> dict[str, RowSet]:
    """Read each set; what is absent is named on the error stream and left out."""
    data = REPOSITORY / "include" / "problems" / "data"
    mail = pd.read_parquet(data / "ad_review" / "mail.parquet", columns=["mail_id", "subject", "body"])
    mail = mail.merge(pd.read_parquet(data / "ad_review" / "truth.parquet"), on="mail_id").sort_values("mail_id")
    text = (mail["subject"].fillna("") + "\n" + mail["body"].fillna("")).str[:4000]
    sets = {"ad_review": _of_texts(text.tolist(), mail["label"] == "unsolicited", "text_logistic")}
    farm, korean = folder / "farm_ads" / "farm_ads.parquet", folder / "korean_hate_speech_beep"
    if farm.is_file():
        ads = pd.read_parquet(farm)
        sets["farm_ads"] = _of_texts(ads["token_set"].tolist(), ads["approved"] == 1, "text_logistic")
    if korean.is_dir():
        parts = pd.concat([pd.read_csv(korean / f"{part}.tsv", sep="\t") for part in ("train", "dev")])
        classes = parts["hate"].map({"none": 0, "offensive": 1, "hate": 2})
        # Korean glues endings to words: parts of words are what repeats.
        sets["korean_moderation"] = _of_texts(parts["comments"].tolist(), classes, "text_pieces")
    for name, found in (("farm_ads", farm.is_file()), ("korean_moderation", korean.is_dir())):
        if not found:
            print(f"SKIPPED {name}: it is not under {folder}.", file=sys.stderr)
    pixels, digit = load_digits(return_X_y=True, as_frame=True)
    sets["digits"] = _of_columns(pixels, digit)
    credit = pd.read_parquet(data / "credit_scoring" / "applications.parquet")
    sets["credit"] = _of_columns(credit.drop(columns=["delivery", "creditability"]), credit["creditability"] == "bad")
    flights = pd.read_parquet(data / "flight_delay" / "flights.parquet")
    flights = flights[flights["arr_delay_minutes"].notna()].sample(N_FLIGHTS, random_state=0)
    known = ["scheduled_hour_local", "weekday", "distance_miles", "temperature_f", "dewpoint_f", "humidity_percent"]
    known += ["wind_speed_mph", "precipitation_inches", "pressure_millibars", "visibility_miles", "carrier", "origin"]
    sets["late_flights"] = _of_columns(flights[known], flights["arr_delay_minutes"] > LATE_MINUTES)
    return sets


def _of_texts(texts: list[str], y: "pd.Series[Any]", model: ModelName) -> RowSet:
    """Read texts as a candidate does."""
    words = readers_of([model])[0].fit_transform(texts).tocsr()
    frame = pd.DataFrame({"text": texts})
    return RowSet(words, frame, Features(text=["text"]), [model], y.to_numpy(np.int64))


def _of_columns(frame: pd.DataFrame, y: "pd.Series[Any]") -> RowSet:
    """Read numbers on one scale, and a column for each category."""
    frame = frame.set_axis([f"column_{place}" for place in range(frame.shape[1])], axis=1)
    numeric = list(frame.select_dtypes("number"))
    categorical = [name for name in frame if name not in numeric]
    numbers = frame[numeric].astype(float)
    scaled = StandardScaler().fit_transform(numbers.fillna(numbers.median()))
    one_hot = [pd.get_dummies(frame[name], dtype=float).to_numpy() for name in categorical]
    features = Features(numeric=numeric, categorical=categorical)
    return RowSet(csr_matrix(np.hstack([scaled, *one_hot])), frame, features, ["scorecard"], y.to_numpy(np.int64))


def store_set(name: str, rows: RowSet) -> Path:
    """Turn a set into words and vectors, once."""
    path = PARTS / f"{name}.npz"
    if not path.exists():
        PARTS.mkdir(parents=True, exist_ok=True)
        vectors = describe_items(rows.frame, rows.features, 0, rows.models)
        words = rows.words
        np.savez(
            path,
            data=words.data,
            indices=words.indices,
            indptr=words.indptr,
            shape=words.shape,
            vectors=vectors,
            y=rows.y,
        )
    return path


def measure(path: Path, name: str, n_repeats: int) -> NDArray[np.float64]:
    """Play one strategy on one set, or read what was kept.

    Returns:
        shape (n_repeats, 29): AUC of each repeat after 10, 15, ... 150 labels.
    """
    curves: list[list[float]] = []
    script = PEERS / ("our_strategies.py" if name in OURS else "active_learning.py")
    python = Path(sys.executable) if name in OURS else peer_python("active_learning")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    for first in range(0, n_repeats, N_A_CALL):
        kept = PARTS / f"{path.stem}-{name.replace(' ', '_').replace(':', '').replace(',', '')}-{first}.json"
        if not kept.exists():
            command = [python, script, path, name, str(first), str(N_A_CALL)]
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            kept.write_text(done.stdout, encoding="utf-8")
        curves += json.loads(kept.read_text(encoding="utf-8"))
    return np.asarray(curves)[:n_repeats]


def full_auc(path: Path, n_repeats: int) -> NDArray[np.float64]:
    """Measure, for each repeat, the model that has all labels of the pool."""
    values = []
    words, _, y = load(path)
    for seed in range(n_repeats):
        kept = PARTS / f"{path.stem}-full-{seed}.json"
        if not kept.exists():
            order = np.random.default_rng(seed).permutation(len(y))
            held, pool = order[: len(y) // 3], order[len(y) // 3 :]
            kept.write_text(json.dumps(auc_of(fit(words[pool], y[pool]), words[held], y[held])), encoding="utf-8")
        values.append(json.loads(kept.read_text(encoding="utf-8")))
    return np.asarray(values)


def labels_needed(curves: NDArray[np.float64], full: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the labels after which each repeat first reaches 95 % of its full AUC; one step past the end if never."""
    is_there = curves >= SHARE_OF_FULL * full[:, None]
    return np.where(is_there.any(axis=1), COUNTS[is_there.argmax(axis=1)], N_STOP + N_STEP).astype(np.float64)


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Give the mean over repeats and its bootstrapped 95 % interval."""
    drawn = np.random.default_rng(0).choice(values, (N_BOOTSTRAPS, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def print_set(name: str, curves: dict[str, NDArray[np.float64]], full: NDArray[np.float64]) -> None:
    """Print the rows of one set."""
    print(f"\n**{name}** (AUC with all labels {full.mean():.3f}; {len(full)} repeats, mean and 95 % interval)\n")
    print("| strategy | labels to 95 % of it | reached it | area under the curve, 10 to 150 labels |")
    print("|---|---|---|---|")
    for strategy, found in curves.items():
        counts = labels_needed(found, full)
        mean, low, high = interval(counts)
        area, area_low, area_high = interval(found.mean(axis=1))
        n_there = int((counts <= N_STOP).sum())
        print(
            f"| {strategy} | {mean:.1f} ({low:.1f} to {high:.1f}) | {n_there} of {len(full)} "
            f"| {area:.3f} ({area_low:.3f} to {area_high:.3f}) |"
        )


def print_comparison(curves: dict[str, dict[str, NDArray[np.float64]]]) -> bool:
    """Print how much area ours wins over chance and over each peer, repeat by repeat, set by set and over all sets.

    Returns:
        whether ours is nowhere worse than chance or the best peer of a set beyond the 95 % interval, and better than
        every single peer on average.
    """
    areas = {name: {who: found.mean(axis=1) for who, found in of_set.items()} for name, of_set in curves.items()}
    print(f"\n| area won over | {' | '.join(areas)} | mean over sets |\n|---|{'---|' * (len(areas) + 1)}")
    for peer in [CHANCE, *THEIRS]:
        won = {name: interval(of_set[SHIPPED] - of_set[peer]) for name, of_set in areas.items()}
        cells = [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in won.values()]
        mean, low, high = _over_sets([of_set[SHIPPED] - of_set[peer] for of_set in areas.values()])
        print(f"| {peer} | {' | '.join(cells)} | {mean:+.3f} ({low:+.3f} to {high:+.3f}) |")
    print("\n| set | best peer | area won over it | worse than it | worse than chance |\n|---|---|---|---|---|")
    is_met = True
    for name, of_set in areas.items():
        best = max(THEIRS, key=lambda peer: of_set[peer].mean())
        mean, low, high = interval(of_set[SHIPPED] - of_set[best])
        is_below_chance = interval(of_set[SHIPPED] - of_set[CHANCE])[2] < 0
        verdicts = ["yes" if is_worse else "no" for is_worse in (high < 0, is_below_chance)]
        print(f"| {name} | {best} | {mean:+.3f} ({low:+.3f} to {high:+.3f}) | {' | '.join(verdicts)} |")
        is_met &= high >= 0 and not is_below_chance
    return is_met


def _over_sets(won: list[NDArray[np.float64]]) -> tuple[float, float, float]:
    """Give the mean over sets, with the interval of drawing other sets, and other repeats of each."""
    rng = np.random.default_rng(0)
    drawn = [
        np.mean([rng.choice(won[place], len(won[place])).mean() for place in rng.integers(len(won), size=len(won))])
        for _ in range(N_BOOTSTRAPS)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.mean([one.mean() for one in won])), float(low), float(high)


def draw(curves: dict[str, dict[str, NDArray[np.float64]]]) -> None:
    """Draw the mean curves of every set, one panel each."""
    shown = [CHANCE, "ours: entropy", SHIPPED, "scikit-activeml CoreSet", "scikit-activeml TypiClust"]
    figure, panels = pyplot.subplots(2, -(-len(curves) // 2), figsize=(13.5, 7.2), layout="constrained", squeeze=False)
    for panel, (name, of_set) in zip(panels.flat, curves.items(), strict=False):
        for strategy, style in zip(shown, (":", "--", "-", "-.", (0, (5, 1))), strict=True):
            panel.plot(COUNTS, of_set[strategy].mean(axis=0), linestyle=style, label=strategy)
        panel.set(title=name, xlabel="labels", ylabel="AUC, mean of repeats")
    for panel in list(panels.flat)[len(curves) :]:
        panel.set_axis_off()
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(shown))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> int:
    """Measure, print the tables, and say by the exit code whether ours is nowhere worse than chance or a peer."""
    given = [argument for argument in sys.argv[1:] if Path(argument).is_dir()]
    folder = Path(given[0]) if given else REPOSITORY.parent / "shared" / "data"
    n_repeats = next((int(argument) for argument in sys.argv[1:] if argument.isdecimal()), 20)
    curves, full = {}, {}
    for name, rows in read_sets(folder).items():
        path = store_set(name, rows)
        curves[name] = {strategy: measure(path, strategy, n_repeats) for strategy in [*OURS, *THEIRS]}
        full[name] = full_auc(path, n_repeats)
    for name, of_set in curves.items():
        print_set(name, of_set, full[name])
    draw(curves)
    return 0 if print_comparison(curves) else 1


if __name__ == "__main__":
    sys.exit(main())
