"""A problem with a small fitted model in the registry, made without the training's steps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sqlalchemy import Engine

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.features import FeatureSpec, build_features
from include.learning.registry import versions
from include.learning.registry.artifacts import StoredModel, save_model
from include.learning.training.estimators import make_encoder
from include.settings import read_settings
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.learning import MODEL_VERSION
from tests.include.learning.conftest import LATE

SPEC = FeatureSpec(("rain_mm", "hour"), {"line": ("blue", "red")}, ())
WET = {"rain_mm": 9.0, "hour": 21, "line": "red"}
DRY = {"rain_mm": 0.0, "hour": 6, "line": "blue"}


def make_model(name: str = "gradient_boosting", spec: FeatureSpec = SPEC, seed: int = 0) -> Pipeline:
    """Fit one on 400 rows: rain and late hours delay; one number in ten is missing."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({column: rng.normal(5, 4, 400) for column in spec.numeric})
    rows = rows.mask(rng.random(rows.shape) < 0.1)
    for column, words in spec.categories.items():
        rows[column] = rng.choice([*words], 400)
    for column in spec.text:
        rows[column] = rng.choice(["late again", "in time", "rain"], 400)
    frame = build_features(rows, spec)
    is_late = (rows[list(spec.numeric)].fillna(0).sum(axis=1) + rng.normal(0, 3, 400) > 10).to_numpy()
    encoder = make_encoder(name, spec, frame).fit(frame)
    classifier = HistGradientBoostingClassifier(
        max_iter=20, early_stopping=False, categorical_features="from_dtype" if spec.categories else None
    )
    fitted = (classifier if name == "gradient_boosting" else LogisticRegression()).fit(
        encoder.transform(frame), is_late
    )
    return Pipeline(
        [("encoder", encoder), ("model", Calibrated(fitted, "sigmoid").fit(encoder.transform(frame), is_late))]
    )


def write_problem(folder: Path, **changes: Any) -> None:
    """Write the problem `late` alone into a folder of problems."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "late.yaml").write_text(yaml.safe_dump(LATE | changes), encoding="utf-8")


def promote(engine: Engine, version: str, *, seed: int = 0, event: str = "promoted", **row: Any) -> dict[str, Any]:
    """Fit a version of `late`, register it, and let it serve; give its row."""
    folder = versions.models_folder(read_settings(), "late")
    path, sha256 = save_model(folder, StoredModel(make_model(seed=seed), SPEC, version))
    now = datetime.now(UTC)
    registered = {
        **{"problem": "late", "model_version": version, "model_name": "gradient_boosting"},
        **{"trained_through": "2013-03", "snapshot_id": "1", "labels_as_of_utc": now, "trained_at_utc": now},
        **{"n_train": 400, "n_calibrate": 400, "n_evaluate": 1, "status": "candidate", "features": SPEC.names},
        **{"artifact_url": path.name, "artifact_sha256": sha256, "threshold_ratio": 0.5},
        **{"ask_from_ratio": None, "ask_until_ratio": None, "feature_auc": {}, "parameters": {}},
        **row,
    }
    with engine.begin() as connection:
        upsert_rows(connection, MODEL_VERSION, [registered])
        decided = {"problem": "late", "model_version": version, "event": event, "actor": "gate", "reason": "better"}
        versions.add_event(connection, {**decided, "serves_from": "2013-04"}, now=now)
    return registered
