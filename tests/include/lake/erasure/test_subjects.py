from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadSettings, BadSubject
from include.lake.erasure.subjects import (
    by_secret,
    is_erased,
    key_id,
    read_token,
    subject_columns,
    subject_name,
    subject_token,
)
from include.problems.sections.source import Source

JANE = "Jane@Example.org"


def hash_of(subject, pii_key):
    return read_token(subject_token(open_engine(), subject, [pii_key]))[key_id(pii_key)]


def erased_rows(values, erased, columns=("who",)):
    rows = relation_of_arrow(open_engine(), pa.table(values))
    return rows.select(found=is_erased(rows, columns, erased)).to_pyarrow()["found"].to_pylist()


def test_columns_that_name_a_person_are_identifiers_contacts_and_keys():
    columns = {
        "id": {"type": "string"},
        "at": {"type": "timestamp"},
        "who": {"type": "string", "pii": "identifier"},
        "mail": {"type": "string", "pii": "contact"},
        "body": {"type": "string", "pii": "free_text"},
        "fare": {"type": "number"},
    }
    bounds = {"earliest": datetime(2013, 1, 1, tzinfo=UTC), "latest": datetime(2014, 1, 1, tzinfo=UTC)}
    source = Source(landing="x", grain="day", key=["id"], event_time="at", columns=columns, **bounds)
    assert subject_columns(source) == ["id", "who", "mail"]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  P-1\t", "P-1"),
        ("p-1", "p-1"),  # an identifier keeps its capitals: another person may have the small ones
        (f"Jane Doe <{JANE}>", "jane@example.org"),
        (f"{JANE}, bob@example.org", "jane@example.org"),
        ("x" * 12_000, "x" * 12_000),
        ("Zoë|\u2028", "Zoë|"),
    ],
)
def test_spellings_of_one_person_come_to_one_name(text, name):
    rows = relation_of_arrow(open_engine(), pa.table({"t": [text]}))
    found = rows.select(v=subject_name(rows.t)).to_pyarrow()["v"][0].as_py()
    assert found.rstrip("\u2028") == name


def test_a_token_has_a_hash_for_each_key_and_no_name():
    token = subject_token(open_engine(), JANE, ["new", "old"])
    assert list(read_token(token)) == [key_id("new"), key_id("old")]
    assert len(set(read_token(token).values())) == 2
    assert not any(word in token.lower() for word in ("jane", "example"))
    assert token == subject_token(open_engine(), f"<{JANE.upper()}>", ["new", "old"])


@pytest.mark.parametrize("token", ["Jane Doe", "", "12345678:xyz", "12345678:" + "0" * 32 + ",", f"{JANE}:1"])
def test_what_is_no_token_is_refused_without_being_repeated(token):
    with pytest.raises(BadSubject, match="is no token") as refused:
        read_token(token)
    assert not token or token not in str(refused.value)


def test_one_subject_hashed_with_a_lost_key_stops_all_and_names_the_key():
    kept, lost = {key_id("new"): "a"}, {key_id("gone"): "b"}
    with pytest.raises(BadSettings, match=f"1 of 2 erased subjects .* the first with {key_id('gone')}"):
        by_secret([kept, lost], ["new", "old", ""])


def test_hashes_are_sorted_by_the_keys_that_the_house_still_has():
    jane = {key_id("new"): "a", key_id("gone"): "c"}
    bob = {key_id("new"): "b", key_id("old"): "d"}
    assert by_secret([jane, bob], ["new", "old"]) == {"new": {"a", "b"}, "old": {"d"}}
    assert by_secret([], []) == {}


@pytest.mark.usefixtures("each_engine")
def test_one_record_of_an_erased_person_among_others_is_found():
    values = {
        "who": pa.array(["P-1", "P-2", None, " P-1 ", ""], pa.string()),
        "mail": pa.array([None, None, None, None, f"J <{JANE}>"], pa.string()),
    }
    erased = {"new": {hash_of("P-1", "new")}, "old": {hash_of(JANE, "old")}}
    assert erased_rows(values, erased, ["who", "mail"]) == [True, False, False, True, True]
    assert erased_rows(values, erased, ["who"]) == [True, False, False, True, False]


def test_where_nobody_was_erased_nobody_is_found():
    assert erased_rows({"who": ["P-1"]}, {}) == [False]
    assert erased_rows({"who": ["P-1"]}, {"new": set()}) == [False]
