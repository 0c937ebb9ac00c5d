import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import MulgilError
from include.review.demo_reviewer import read_truth
from include.row_key import hash_identifier
from tests.include.review.test_row_names import source_of

MAILS = source_of(mail_id={"type": "string"})


def test_only_the_items_asked_about_are_read(tmp_path):
    pq.write_table(pa.table({"mail_id": ["a", "b", "c"], "label": ["wanted", "unsolicited", None]}), tmp_path / "t")
    assert read_truth(tmp_path / "t", MAILS, (), ["b", "c", "z"]) == {"b": "unsolicited"}


def test_a_key_of_several_columns_is_named_as_ingest_names_it(tmp_path):
    shops = source_of(shop={"type": "string"}, number={"type": "integer"})
    pq.write_table(pa.table({"shop": ["x", "y|z"], "number": [1, 2], "label": ["wanted", "wanted"]}), tmp_path / "t")
    assert read_truth(tmp_path / "t", shops, (), ["y\\|z|2"]) == {"y\\|z|2": "wanted"}


@pytest.mark.parametrize("key", ["newest", "older"])
def test_truth_about_hashed_identifiers_is_found_by_whichever_key_hashed_them(tmp_path, key):
    people = source_of(person={"type": "string", "pii": "identifier"})
    pq.write_table(pa.table({"person": ["kim@example.org"], "label": ["wanted"]}), tmp_path / "t")
    hashed = hash_identifier("kim@example.org", key)
    assert read_truth(tmp_path / "t", people, ("newest", "older"), [hashed]) == {hashed: "wanted"}


def test_a_missing_file_is_named_with_what_it_should_hold(tmp_path):
    with pytest.raises(MulgilError, match=r"0 of 2 items.*key columns and `label`"):
        read_truth(tmp_path / "t", MAILS, (), ["a", "b"])
