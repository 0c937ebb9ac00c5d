"""How good models of several classes and of several labels are, beside the best pipeline of scikit-learn.

    python -m bench.classes

Every set is asked out of fold, five folds, the same for all: ours chooses candidate and calibrator anew for every
fold, without it. The pipelines are what people write first (scaled logistic regression, gradient boosting, words or
pieces of words with logistic regression), each as it is and inside `CalibratedClassifierCV`; the one that is best in
hindsight counts, which nobody would have known. Of several labels scikit-learn gets one such pipeline for each label,
again the best in hindsight over all labels. Sets: penguins (palmerpenguins), wine (scikit-learn), and 1,000 Korean
comments with three classes and with four labels (BEEP!, where `MULGIL_SHARED_DATA` holds it; it does not ship).
"""

import os
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from include.learning import metrics
from include.learning.data.columns import BLOCK, IS_RANDOM, IS_RULE, LABELS
from include.learning.data.splits import assign_folds
from include.learning.several.class_folds import deal_folds
from include.learning.several.fit_classes import fit_classes_by_folds
from include.learning.several.fit_labels import fit_labels_by_folds
from include.learning.several.heldout import MODEL_COLUMN, table_of, targets_in
from include.learning.several.targets import Targets, read_targets, row_surprise
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Training
from include.stats.bootstrap import draw_blocks
from scripts.build_datasets import require_checksum

N_COMMENTS, SEED = 1_000, 7
PENGUINS = "palmerpenguins==0.1.6"
PENGUINS_SHA256 = "5c3be9af84dd703a25f1aaeadeac6ac770cfd38c1620d00089f581c023129ee0"
Table = np.ndarray
Fit = Callable[[pd.DataFrame, Table], Callable[[pd.DataFrame], Table]]


def _rows(frame: pd.DataFrame, labels: list[object]) -> pd.DataFrame:
    """Give rows as training reads them."""
    frame = frame.sample(frac=1.0, random_state=SEED)
    ordered = [labels[at] for at in frame.index]
    frame = frame.reset_index(drop=True)
    n_rows = len(frame)
    return frame.assign(
        **{
            ROW_KEY: [f"r{at:05d}" for at in range(n_rows)],
            PARTITION_KEY: "all",
            BLOCK: range(n_rows),
            IS_RULE: False,
            IS_RANDOM: True,
            LABELS: pd.Series(ordered, dtype="object"),
        }
    )


def read_penguins() -> pd.DataFrame | None:
    """Fetch the penguins as pip fetches them; None where it brings nothing, which is said."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PENGUINS]
        done = subprocess.run(fetch, check=False, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            print(f"{PENGUINS} is left out: pip said {done.stderr.strip()[-200:]}", file=sys.stderr)
            return None
        require_checksum(wheels[0], PENGUINS_SHA256)
        with zipfile.ZipFile(wheels[0]) as wheel, wheel.open("palmerpenguins/data/penguins.csv") as file:
            return pd.read_csv(file)


def read_sets() -> dict[str, tuple[pd.DataFrame, list[str], Training, bool]]:
    """Read every set that is there: rows, classes, what is trained, and whether a row may have several labels."""
    found = {}
    wine = load_wine(as_frame=True)
    frame = wine.data.rename(columns=lambda column: column.replace("/", "_"))
    labels = [f"class {value}" for value in wine.target]
    models = ["scorecard", "gradient_boosting"]
    training = Training(models=models, features={"numeric": list(frame.columns)}, seed=SEED)
    found["wine"] = (_rows(frame, labels), sorted(set(labels)), training, False)
    birds = read_penguins()
    if birds is not None:
        numeric = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
        features = {"numeric": numeric, "categorical": ["island", "sex"]}
        training = Training(models=["scorecard", "gradient_boosting"], features=features, seed=SEED)
        rows = _rows(birds[[*numeric, "island", "sex"]].reset_index(drop=True), birds["species"].tolist())
        found["penguins"] = (rows, sorted(set(birds["species"])), training, False)
    path = Path(os.environ.get("MULGIL_SHARED_DATA", "")) / "korean_hate_speech_beep" / "train.tsv"
    if path.is_file():
        comments = pd.read_csv(path, sep="\t", quoting=3).head(N_COMMENTS)
        training = Training(models=["text_logistic", "text_pieces"], features={"text": ["comments"]}, seed=SEED)
        text = comments[["comments"]]
        classes = ["none", "offensive", "hate"]
        found["Korean, 3 classes"] = (_rows(text, comments["hate"].tolist()), classes, training, False)
        marks = [
            [name for name in (hate, {"others": "other bias"}.get(bias, bias)) if name != "none"]
            for hate, bias in zip(comments["hate"], comments["bias"], strict=True)
        ]
        names = ["gender", "hate", "offensive", "other bias"]
        found["Korean, 4 labels"] = (_rows(text, marks), names, training, True)
    return found


def pipelines(training: Training) -> dict[str, object]:
    """Make the pipelines that people write first."""
    features = training.features
    if features.text:
        [column] = features.text
        words = make_column_transformer((TfidfVectorizer(sublinear_tf=True, min_df=2), column))
        pieces = make_column_transformer(
            (TfidfVectorizer(sublinear_tf=True, min_df=2, analyzer="char_wb", ngram_range=(2, 4)), column)
        )
        made = {
            f"{name}, C={c:g}": make_pipeline(encoder, LogisticRegression(C=c, max_iter=1000))
            for name, encoder in (("words", words), ("pieces of words", pieces))
            for c in (1.0, 10.0)
        }
    else:
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        plain = make_column_transformer(
            (numbers, features.numeric), (OneHotEncoder(handle_unknown="ignore"), features.categorical)
        )
        coded = make_column_transformer(
            ("passthrough", features.numeric), (OneHotEncoder(handle_unknown="ignore"), features.categorical)
        )
        made = {
            "logistic regression": make_pipeline(plain, LogisticRegression(max_iter=1000)),
            "gradient boosting": make_pipeline(coded, HistGradientBoostingClassifier(random_state=SEED)),
        }
    calibrated = {
        f"{name}, calibrated {method}": CalibratedClassifierCV(model, method=method, cv=5)
        for name, model in made.items()
        for method in ("sigmoid", "isotonic")
    }
    return made | calibrated


def ask_peers(rows: pd.DataFrame, targets: Targets, training: Training) -> dict[str, Table]:
    """Let every pipeline answer out of fold: shape (n_rows, n_classes)."""
    everywhere, groups = np.ones(len(rows), dtype=bool), np.arange(len(rows))
    answers = {}
    for name, model in pipelines(training).items():
        p = np.zeros(targets.flags.shape)
        if targets.is_multiple:
            for place in range(p.shape[1]):
                flags = targets.flags[:, place]
                folds = assign_folds(flags, everywhere, 5, SEED, groups)
                for fold in range(5):
                    model.fit(rows[folds != fold], flags[folds != fold])
                    p[folds == fold, place] = model.predict_proba(rows[folds == fold])[:, 1]
        else:
            folds = deal_folds(targets, everywhere, groups, SEED)
            for fold in range(5):
                model.fit(rows[folds != fold], targets.codes[folds != fold])
                p[folds == fold] = model.predict_proba(rows[folds == fold])
        answers[name] = p
    return answers


def macro_f1(targets: Targets, p: Table) -> float:
    """Average F1 over the classes."""
    said = p >= 0.5 if targets.is_multiple else np.arange(p.shape[1]) == p.argmax(axis=1)[:, None]
    return float(
        np.mean(2 * (said & targets.flags).sum(axis=0) / np.maximum((said * 1 + targets.flags).sum(axis=0), 1))
    )


def main() -> int:
    """Measure every set, and print the table of docs/benchmarks.md."""
    warnings.simplefilter("ignore")
    print("| set | rows | who | log loss | macro F1 | classwise ECE | ours less the best peer, 95 % interval |")
    print("|---|---|---|---|---|---|---|")
    is_good = True
    for name, (rows, classes, training, is_multiple) in read_sets().items():
        targets, _ = read_targets(rows[LABELS], classes, is_multiple=is_multiple)
        with threadpool_limits(1):
            fitted = (fit_labels_by_folds if is_multiple else fit_classes_by_folds)(rows, targets, training)
            peers = ask_peers(rows, targets, training)
        truth = targets_in(fitted.heldout, classes, is_multiple=is_multiple)
        ours = table_of(fitted.heldout, MODEL_COLUMN, classes)
        losses = {peer: row_surprise(targets, p) for peer, p in peers.items()}
        best = min(losses, key=lambda peer: losses[peer].mean())
        difference = row_surprise(truth, ours) - losses[best]  # both in the order of the keys
        resamples = draw_blocks(np.arange(len(rows)), np.random.default_rng(0))
        low, high = resamples.interval(float(difference.mean()), resamples.mean(difference))
        is_good &= low is not None and low <= 0
        for who, loss, p, beside in (
            (f"ours ({fitted.model_name}, {fitted.calibration})", row_surprise(truth, ours), ours, True),
            (f"scikit-learn: {best}", losses[best], peers[best], False),
        ):
            eces = [metrics.ece(targets.flags[:, place], p[:, place]) for place in range(p.shape[1])]
            end = f"{difference.mean():+.4f} ({low:+.4f} to {high:+.4f})" if beside else ""
            print(
                f"| {name} | {len(rows):,} | {who} | {loss.mean():.4f} | {macro_f1(targets, p):.3f} "
                f"| {np.mean(eces):.4f} | {end} |",
                flush=True,
            )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
