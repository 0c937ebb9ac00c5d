import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadSettings
from include.row_key import hash_identifier, join_parts, row_key


@dataclass(frozen=True)
class Declared:
    type: str = "string"
    pii: str = "none"


def name_of(*values, kind="string", pii="none", pii_key="k"):
    columns = {f"c{i}": Declared(kind, pii) for i in range(len(values))}
    return row_key(dict(zip(columns, values, strict=True)), list(columns), columns, pii_key)


def test_one_part_stands_as_it_is_and_several_are_escaped():
    assert name_of("x|y\\z") == "x|y\\z"
    assert name_of("x|y", "z") == "x\\|y|z"
    assert name_of("x\\", "z") == "x\\\\|z"


@given(
    st.lists(st.text("a|\\ ", min_size=1), min_size=2, max_size=3),
    st.lists(st.text("a|\\ ", min_size=1), min_size=2, max_size=3),
)
def test_two_rows_of_different_parts_never_share_a_name(parts, others):
    assert (join_parts(parts) == join_parts(others)) == (parts == others)


def test_the_order_of_the_key_decides_and_not_that_of_the_record():
    columns = {"a": Declared(), "b": Declared(), "other": Declared()}
    assert row_key({"other": "3", "b": "2", "a": "1"}, ["a", "b"], columns, "") == "1|2"
    assert row_key({"other": "3", "b": "2", "a": "1"}, ["b", "a"], columns, "") == "2|1"


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (12, "integer", "12"), ("12", "integer", "12"), (" 0012.00 ", "integer", "12"), ("-0", "integer", "0"),
        (9_223_372_036_854_775_807, "integer", "9223372036854775807"), ("0" * 9_000 + "7", "integer", "7"),
        (1, "number", "1.0"), ("1.10", "number", "1.1"), ("1E20", "number", "1e+20"), (0.00001, "number", "1e-05"),
        (True, "boolean", "true"), ("FALSE", "boolean", "false"), ("1", "boolean", "true"),
        ("2002-08-22T20:26:25.50+02:00", "timestamp", "2002-08-22 18:26:25.5+00"),
        ("2002-08-22t18:26:25z", "timestamp", "2002-08-22 18:26:25+00"),
        ("2002-08-22 18:26:25 +00", "timestamp", "2002-08-22 18:26:25+00"),
        (datetime(2002, 8, 22, 18, 26, 25, 120, tzinfo=UTC), "timestamp", "2002-08-22 18:26:25.00012+00"),
        (datetime(2002, 8, 22), "timestamp", "2002-08-22 00:00:00+00"),  # noqa: DTZ001 - logs leave it out, too
        (" a b ", "string", " a b "), (1.5, "string", "1.5"), (True, "string", "true"),
    ],
)  # fmt: skip
def test_a_value_is_named_as_the_lake_stores_it(value, kind, stored):
    assert name_of(value, kind=kind) == stored


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "string"), ("", "string"), (" \t\n", "string"), ("abc", "integer"), ("12.7", "integer"),
     ("\uff11", "integer"),
         (2**63, "integer"), ("9" * 9_000, "integer"), ("1e400", "number"), ("nan", "number"), ("maybe", "boolean"),
     ("yesterday", "timestamp"), ("2002-02-30", "timestamp"),
     ("0001-01-01T00:00:00+09:00", "timestamp"), ("9999-12-31T23:59:59-09:00", "timestamp"), ({"a": 1}, "integer")],
)  # fmt: skip
def test_a_row_that_ingest_would_quarantine_for_its_key_has_no_name(value, kind):
    assert name_of("good", value) is None if kind == "string" else name_of(value, kind=kind) is None


def test_an_identifier_is_hashed_as_it_stands_in_the_log():
    inner, outer = (hashlib.sha256(f"{use}\x1fk".encode()).hexdigest() for use in ("inner", "outer"))
    once = hashlib.sha256(f"{inner}p1".encode()).hexdigest()
    assert name_of("p1", pii="identifier") == hashlib.sha256(f"{outer}{once}".encode()).hexdigest()[:32]
    assert name_of("p1", pii="identifier") != name_of("p1 ", pii="identifier")
    assert name_of("p1", pii="identifier") != name_of("p1", pii="identifier", pii_key="other")
    assert name_of(12, pii="identifier", kind="integer") == hash_identifier("12", "k")


def test_an_identifier_without_a_secret_is_refused_and_others_need_none():
    with pytest.raises(BadSettings, match="MULGIL_PII_KEY is empty"):
        name_of("p1", pii="identifier", pii_key="")
    assert name_of("p1", pii_key="") == "p1"
