from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from include.errors import TamperedModel
from include.learning import storing
from include.learning.calibrators import METHODS
from include.learning.features import build_features
from include.learning.models import positive_probability
from include.learning.storing import StoredModel
from include.learning.training import BLOCK, IS_POSITIVE, IS_RANDOM, IS_RULE, fit_by_folds
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features, ModelName, Training
from tests.include.learning.conftest import make_mails, make_trips

MAILS = Training(model="text_logistic", features=Features(text=["subject", "body"]))
TRIPS = Training(
    model="gradient_boosting",
    calibration="isotonic",
    features=Features(numeric=["rain_mm"], categorical=["line"], increasing=["rain_mm"]),
)


def make_stored(training: Training = MAILS) -> tuple[StoredModel, pd.DataFrame]:
    mails, truth = make_mails()
    rows = mails if training.features.text else make_trips("2013-01", n_rows=len(mails))
    is_positive = [truth[mail] == "junk" for mail in mails["mail_id"]]
    rows = rows.assign(**{ROW_KEY: mails["mail_id"], PARTITION_KEY: "2002-01", BLOCK: range(len(rows))})
    rows = rows.assign(**{IS_POSITIVE: is_positive, IS_RULE: False, IS_RANDOM: True})
    fitted = fit_by_folds(rows, training)
    return StoredModel(fitted.model, fitted.spec, "round-001-abc123"), rows


@pytest.mark.parametrize("training", [MAILS, TRIPS])
def test_a_loaded_model_says_what_the_stored_one_said(training: Training, tmp_path: Path):
    stored, rows = make_stored(training)
    loaded = storing.load_model(*storing.save_model(tmp_path, stored))
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()
    assert (loaded.spec, loaded.model_version) == (stored.spec, stored.model_version)


@pytest.mark.parametrize("calibration", METHODS)
def test_every_map_can_be_stored(calibration: str, tmp_path: Path):
    stored, rows = make_stored(MAILS.model_copy(update={"calibration": calibration}))
    loaded = storing.load_model(*storing.save_model(tmp_path, stored))
    assert loaded.model[-1].method == calibration
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()


@pytest.mark.parametrize("name", get_args(ModelName))
def test_every_candidate_can_be_stored(name: ModelName, tmp_path: Path):
    training = (MAILS if name.startswith("text_") else TRIPS).model_copy(update={"model": name})
    stored, rows = make_stored(training)
    loaded = storing.load_model(*storing.save_model(tmp_path, stored))
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()


def test_one_changed_byte_is_refused(tmp_path: Path):
    path, digest = storing.save_model(tmp_path, make_stored()[0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(TamperedModel, match=r"registered is .* was not loaded"):
        storing.load_model(path, digest)


def test_a_type_that_is_not_allowed_is_refused_though_its_hash_is_right(tmp_path: Path):
    import hashlib

    import skops.io

    stored, _ = make_stored()
    content = skops.io.dumps({"model": Counter("ab"), "spec": stored.spec.to_dict(), "model_version": "v"})
    path = tmp_path / "v.skops"
    path.write_bytes(content)
    with pytest.raises(TamperedModel, match=r"holds types that no model of ours has.*Counter"):
        storing.load_model(path, hashlib.sha256(content).hexdigest())


def test_a_model_that_could_not_be_loaded_is_not_stored(tmp_path: Path):
    with pytest.raises(TamperedModel, match="Counter"):
        storing.save_model(tmp_path, replace(make_stored()[0], model=Counter("ab")))
    assert list(tmp_path.iterdir()) == []


def test_a_lost_file_is_named(tmp_path: Path):
    path, digest = storing.save_model(tmp_path, make_stored()[0])
    path.unlink()
    with pytest.raises(TamperedModel, match=f"{path.name} is gone"):
        storing.load_model(path, digest)
    with pytest.raises(TamperedModel, match=r"v1\.heldout\.parquet are gone"):
        storing.load_heldout(tmp_path, {"model_version": "v1", "heldout_sha256": None})


def test_storing_leaves_no_half_file_and_sweeping_keeps_the_registered_one(tmp_path: Path):
    old = tmp_path / "round-001-abc123.000000000000.skops"
    other = tmp_path / "round-002-abc123.000000000000.skops"
    for path in (old, other):
        path.write_bytes(b"old")
    path, _ = storing.save_model(tmp_path, make_stored()[0])
    storing.sweep_version(tmp_path, "round-001-abc123", keep=path)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, other.name}


def test_heldout_answers_come_back_as_they_were(tmp_path: Path):
    heldout = pd.DataFrame({ROW_KEY: ["a", "b"], IS_POSITIVE: [True, False], "p_model": np.array([0.1, 0.9])})
    row = {"model_version": "v1", "heldout_sha256": storing.save_heldout(tmp_path, "v1", heldout)}
    pd.testing.assert_frame_equal(storing.load_heldout(tmp_path, row), heldout)
    assert storing.save_heldout(tmp_path, "v2", heldout) == row["heldout_sha256"]


def test_held_out_answers_that_were_changed_judge_nothing(tmp_path: Path):
    heldout = pd.DataFrame({ROW_KEY: ["a", "b"], IS_POSITIVE: [True, False], "p_model": np.array([0.1, 0.9])})
    row = {"model_version": "v1", "heldout_sha256": storing.save_heldout(tmp_path, "v1", heldout)}
    storing.save_heldout(tmp_path, "v1", heldout.assign(p_model=[0.9, 0.1]))
    with pytest.raises(TamperedModel, match=r"v1\.heldout\.parquet hash to .*, registered is .* nothing was judged"):
        storing.load_heldout(tmp_path, row)
    assert storing.load_heldout(tmp_path, row | {"heldout_sha256": None})["p_model"].tolist() == [0.9, 0.1]
