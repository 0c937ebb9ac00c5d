import hashlib
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import skops.io

from include.errors import TamperedModel
from include.learning.calibration.calibrators import METHODS
from include.learning.data.features import build_features
from include.learning.registry import artifacts
from include.learning.registry.artifacts import StoredModel
from include.learning.training.estimators import positive_probability
from include.learning.training.fit import BLOCK, IS_POSITIVE, IS_RANDOM, IS_RULE, fit_by_folds
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
    loaded = artifacts.load_model(*artifacts.save_model(tmp_path, stored))
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()
    assert (loaded.spec, loaded.model_version) == (stored.spec, stored.model_version)


@pytest.mark.parametrize("calibration", METHODS)
def test_every_map_can_be_stored(calibration: str, tmp_path: Path):
    stored, rows = make_stored(MAILS.model_copy(update={"calibration": calibration}))
    loaded = artifacts.load_model(*artifacts.save_model(tmp_path, stored))
    assert loaded.model[-1].method == calibration
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()


@pytest.mark.parametrize("name", [name for name in get_args(ModelName) if name not in ("seasonal_naive", "linear")])
def test_every_candidate_can_be_stored(name: ModelName, tmp_path: Path):
    training = (MAILS if name.startswith("text_") else TRIPS).model_copy(update={"model": name})
    stored, rows = make_stored(training)
    loaded = artifacts.load_model(*artifacts.save_model(tmp_path, stored))
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()


def as_stored_before(path: Path, old_module: str, new_module: str) -> str:
    """Write a stored model as it was written when its classes lay in another module; give its hash."""
    with zipfile.ZipFile(path) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    assert new_module.encode() in parts["schema.json"]
    parts["schema.json"] = parts["schema.json"].replace(new_module.encode(), old_module.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in parts.items():
            target.writestr(name, part)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("old_module", "new_module"), artifacts.MOVED_MODULES.items())
def test_a_model_stored_before_its_classes_moved_says_what_it_said(old_module: str, new_module: str, tmp_path: Path):
    stored, rows = make_stored(MAILS.model_copy(update={"calibration": "sigmoid"}))
    path, digest = artifacts.save_model(tmp_path, stored)
    old = as_stored_before(path, old_module, new_module)
    with pytest.raises(TamperedModel, match="hash to"):  # the registered bytes are checked before they are read
        artifacts.load_model(path, digest)
    loaded = artifacts.load_model(path, old)
    before, after = (positive_probability(one.model, build_features(rows, one.spec)) for one in (stored, loaded))
    assert (before == after).all()


def test_a_moved_module_lets_no_other_class_in(tmp_path: Path):
    path, _ = artifacts.save_model(tmp_path, make_stored()[0])
    old = as_stored_before(path, "include.learning.elsewhere", "include.learning.calibration.calibrators")
    with pytest.raises(TamperedModel, match=r"holds types that no model of ours has.*elsewhere"):
        artifacts.load_model(path, old)


def test_one_changed_byte_is_refused(tmp_path: Path):
    path, digest = artifacts.save_model(tmp_path, make_stored()[0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(TamperedModel, match=r"registered is .* was not loaded"):
        artifacts.load_model(path, digest)


def test_a_type_that_is_not_allowed_is_refused_though_its_hash_is_right(tmp_path: Path):
    stored, _ = make_stored()
    content = skops.io.dumps({"model": Counter("ab"), "spec": stored.spec.to_dict(), "model_version": "v"})
    path = tmp_path / "v.skops"
    path.write_bytes(content)
    with pytest.raises(TamperedModel, match=r"holds types that no model of ours has.*Counter"):
        artifacts.load_model(path, hashlib.sha256(content).hexdigest())


def test_a_model_that_could_not_be_loaded_is_not_stored(tmp_path: Path):
    with pytest.raises(TamperedModel, match="Counter"):
        artifacts.save_model(tmp_path, replace(make_stored()[0], model=Counter("ab")))
    assert list(tmp_path.iterdir()) == []


def test_a_lost_file_is_named(tmp_path: Path):
    path, digest = artifacts.save_model(tmp_path, make_stored()[0])
    path.unlink()
    with pytest.raises(TamperedModel, match=f"{path.name} is gone"):
        artifacts.load_model(path, digest)
    with pytest.raises(TamperedModel, match=r"v1\.heldout\.parquet are gone"):
        artifacts.load_heldout(tmp_path, {"model_version": "v1", "heldout_sha256": None})


def test_storing_leaves_no_half_file_and_sweeping_keeps_the_registered_one(tmp_path: Path):
    old = tmp_path / "round-001-abc123.000000000000.skops"
    other = tmp_path / "round-002-abc123.000000000000.skops"
    for path in (old, other):
        path.write_bytes(b"old")
    path, _ = artifacts.save_model(tmp_path, make_stored()[0])
    (tmp_path / "round-001-abc123.heldout.parquet").write_bytes(b"older")
    answers = [pd.DataFrame({"p_model": [p]}) for p in (0.1, 0.9)]
    _, digest = (artifacts.save_heldout(tmp_path, "round-001-abc123", one) for one in answers)
    artifacts.sweep_version(tmp_path, "round-001-abc123", keep=path, heldout_sha256=digest)
    kept = artifacts.heldout_path(tmp_path, "round-001-abc123", digest)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, other.name, kept.name}


def test_answers_that_were_stored_under_the_older_name_are_read(tmp_path: Path):
    heldout = pd.DataFrame({"p_model": [0.1, 0.9]})
    row = {"model_version": "v1", "heldout_sha256": artifacts.save_heldout(tmp_path, "v1", heldout)}
    artifacts.heldout_path(tmp_path, "v1", row["heldout_sha256"]).rename(tmp_path / "v1.heldout.parquet")
    pd.testing.assert_frame_equal(artifacts.load_heldout(tmp_path, row), heldout)
    pd.testing.assert_frame_equal(artifacts.load_heldout(tmp_path, row | {"heldout_sha256": None}), heldout)


def test_new_answers_leave_the_registered_ones_readable(tmp_path: Path):
    heldout = pd.DataFrame({"p_model": [0.1, 0.9]})
    row = {"model_version": "v1", "heldout_sha256": artifacts.save_heldout(tmp_path, "v1", heldout)}
    artifacts.save_heldout(tmp_path, "v1", heldout.assign(p_model=[0.9, 0.1]))
    pd.testing.assert_frame_equal(artifacts.load_heldout(tmp_path, row), heldout)


def test_heldout_answers_come_back_as_they_were(tmp_path: Path):
    heldout = pd.DataFrame({ROW_KEY: ["a", "b"], IS_POSITIVE: [True, False], "p_model": np.array([0.1, 0.9])})
    row = {"model_version": "v1", "heldout_sha256": artifacts.save_heldout(tmp_path, "v1", heldout)}
    pd.testing.assert_frame_equal(artifacts.load_heldout(tmp_path, row), heldout)
    assert artifacts.save_heldout(tmp_path, "v2", heldout) == row["heldout_sha256"]


def test_held_out_answers_that_were_changed_judge_nothing(tmp_path: Path):
    heldout = pd.DataFrame({ROW_KEY: ["a", "b"], IS_POSITIVE: [True, False], "p_model": np.array([0.1, 0.9])})
    row = {"model_version": "v1", "heldout_sha256": artifacts.save_heldout(tmp_path, "v1", heldout)}
    path = artifacts.heldout_path(tmp_path, "v1", row["heldout_sha256"])
    heldout.assign(p_model=[0.9, 0.1]).to_parquet(path, index=False)
    with pytest.raises(TamperedModel, match=r"v1\..*\.heldout\.parquet hash to .* nothing was judged by"):
        artifacts.load_heldout(tmp_path, row)
