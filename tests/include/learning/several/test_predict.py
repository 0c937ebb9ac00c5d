import numpy as np
import pyarrow as pa
import pytest

from include.learning.registry import artifacts
from include.learning.registry.artifacts import StoredModel
from include.learning.several.decisions import decisions_of
from include.learning.several.predict import SCHEMA, ClassScorer, predict_table
from include.problems.sections.learning import Value
from tests.include.learning.several.conftest import KINDS, LABEL, MARKS, make_rows

ROWS = make_rows(40)


@pytest.fixture
def registered(fitted_plants, tmp_path):
    stored = StoredModel(fitted_plants.model, fitted_plants.spec, "2013-06-abc")
    path, digest = artifacts.save_model(tmp_path, stored)
    row = {"model_version": "2013-06-abc", "artifact_url": path.name, "artifact_sha256": digest}
    return tmp_path, row | {"features": fitted_plants.spec.names}


def batch(**more):
    table = pa.Table.from_pandas(
        ROWS[["_partition_key", "_row_key", "height_cm", "width_cm", "soil"]], preserve_index=False
    )
    for name, values in more.items():
        table = table.append_column(name, values)
    return table.combine_chunks().to_batches()[0]


def test_every_row_gets_one_prediction_for_each_class(registered):
    decisions = decisions_of(LABEL, Value(unit="x"), has_reviewers=False)
    scorer = ClassScorer(*registered, KINDS, decisions, is_multiple=False)
    labels = pa.array(["rose", "weed", None] + ["fern"] * (len(ROWS) - 3), pa.string())
    known = pa.array([True] * len(ROWS), pa.bool_())
    [found] = scorer(iter([batch(_is_known=known, _labels=labels)]))
    assert found.schema == SCHEMA
    frame = found.to_pandas()
    assert len(frame) == 3 * len(ROWS)
    assert frame.groupby("_row_key")["p_positive"].sum().tolist() == pytest.approx([1.0] * len(ROWS))
    first = frame[frame["_row_key"] == ROWS["_row_key"][0]].set_index("class_name")
    assert first["is_positive"].to_dict() == {"fern": False, "moss": False, "rose": True}
    assert first["p_positive"].idxmax() == first["action"].iloc[0]
    # A label outside the classes is not known, whatever the log says.
    assert not frame[frame["_row_key"] == ROWS["_row_key"][1]]["label_known"].any()


def test_rows_without_labels_are_scored_and_known_of_none(registered):
    decisions = decisions_of(LABEL, Value(unit="x"), has_reviewers=False)
    [found] = ClassScorer(*registered, KINDS, decisions, is_multiple=False)(iter([batch()]))
    assert found["is_positive"].null_count == found.num_rows


def test_a_class_that_the_file_has_dropped_leaves_its_probability_to_the_others(fitted_plants):
    stored = StoredModel(fitted_plants.model, fitted_plants.spec, "v")
    two = predict_table(stored, ROWS, ["fern", "rose"])
    assert two.sum(axis=1) == pytest.approx(1.0)
    assert predict_table(stored, ROWS, [*KINDS, "new"])[:, 3].tolist() == [0.0] * len(ROWS)
    assert predict_table(stored, ROWS.iloc[:0], KINDS).shape == (0, 3)


def test_labels_need_not_sum_to_one(fitted_marks):
    stored = StoredModel(fitted_marks.model, fitted_marks.spec, "v")
    p = predict_table(stored, ROWS, MARKS)
    assert np.abs(p.sum(axis=1) - 1).max() > 0.05
