from dataclasses import replace

import pytest

from include.engine.formats.fields import wanted_of
from include.engine.formats.object_records import Records
from include.engine.object_store.objects import LocalObject, RawObject
from include.engine.session import open_engine
from include.errors import BadSettings
from include.lake.compiled_query import Sorting, query_of, rows_of
from include.lake.row_expressions import accepted_rows, quarantined_rows
from include.problems.reading import load_problem
from include.problems.sections.source import Source

KEYS = ["2013-01", "2013-02"]
ODD = "x'0007-07'y|'0007-07-01 00:00:00'.jsonl"  # a name with what stands for other things in a kept text


@pytest.fixture
def sorting(landing, flight):
    """Give what two months of two objects come to; one object has a name that looks like a stand-in."""
    rows = [flight("a"), flight("b", "2013-02-05T10:00:00Z"), flight("c", "2013-03-05T10:00:00Z"), "{", flight(None)]
    objects = []
    for key in ("a.jsonl", ODD):
        landing.drop(key, *rows)
        objects.append(LocalObject(key, landing.folder / "flights" / key, RawObject(key, 0, ""), is_copy=False))
    source = load_problem("flights").source
    return Sorting("flights", KEYS, source, objects, {"a.jsonl": KEYS[1], ODD: KEYS[0]}, {}, "secret")


def with_person(sorting):
    """Let the name of a flight be a person's."""
    plain = sorting.source.model_dump(by_alias=True)
    plain["columns"]["flight_id"]["pii"] = "identifier"
    return replace(sorting, source=Source.model_validate(plain))


def both(sorting, choose):
    """Give the rows by the kept text, and by a query that was made for these very partitions."""
    engine = open_engine()
    records = Records(sorting.objects, sorting.source.format, wanted=wanted_of(sorting.source))
    text = query_of(engine, records, sorting, choose)
    assert isinstance(text, str)
    kept = engine.con.execute(text).fetch_arrow_table().to_pylist()
    return kept, rows_of(engine, records, sorting, choose).to_pyarrow().to_pylist()


@pytest.mark.parametrize("choose", [accepted_rows, quarantined_rows])
@pytest.mark.parametrize("keys", [KEYS, KEYS[:1], KEYS[1:], ["2013-12"]])
def test_the_kept_text_gives_the_rows_of_a_query_made_for_the_partitions(sorting, choose, keys):
    homes = {item: key for item, key in sorting.homes.items() if key in keys}
    kept, made = both(replace(sorting, partition_keys=keys, homes=homes), choose)
    assert kept == made
    assert bool(kept) == (keys != ["2013-12"])


def test_identifiers_are_hashed_with_the_key_of_the_house_and_no_key_is_kept(sorting, house):
    for secret in ("secret", "another"):
        kept, made = both(replace(with_person(sorting), pii_key=secret), accepted_rows)
        assert kept == made
    assert len({row["flight_id"] for row in both(with_person(sorting), accepted_rows)[0] + kept}) == 4
    (place,) = (house.home / "sql").iterdir()
    from include.row_key import derived_keys

    assert not any(key in place.read_text() for key in (*derived_keys("secret"), *derived_keys("another")))


def test_without_a_key_identifiers_are_refused_though_the_text_is_kept(sorting):
    person = with_person(sorting)
    both(person, accepted_rows)
    with pytest.raises(BadSettings, match="MULGIL_PII_KEY is empty"):
        both(replace(person, pii_key=""), accepted_rows)


def test_a_query_with_hashes_of_erased_people_is_not_kept(sorting, house):
    erased = replace(sorting, erased={"secret": {"0" * 32}})
    assert not isinstance(query_of(open_engine(), Records((), "jsonl"), erased, accepted_rows), str)
    assert not (house.home / "sql").exists()
