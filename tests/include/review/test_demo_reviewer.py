import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import MulgilError
from include.review.demo_reviewer import read_truth


def test_only_the_items_asked_about_are_read(tmp_path):
    pq.write_table(pa.table({"mail_id": ["a", "b", "c"], "label": ["wanted", "unsolicited", None]}), tmp_path / "t")
    assert read_truth(tmp_path / "t", ["mail_id"], ["b", "c", "z"]) == {"b": "unsolicited"}


def test_a_key_of_several_columns_is_joined_as_row_keys_are(tmp_path):
    pq.write_table(pa.table({"shop": ["x", "y"], "number": [1, 2], "label": ["wanted", "wanted"]}), tmp_path / "t")
    assert read_truth(tmp_path / "t", ["shop", "number"], ["y|2"]) == {"y|2": "wanted"}


def test_a_missing_file_is_named_with_what_it_should_hold(tmp_path):
    with pytest.raises(MulgilError, match=r"0 of 2 items.*key columns and `label`"):
        read_truth(tmp_path / "t", ["mail_id"], ["a", "b"])
