import pyarrow as pa
import pytest

from include.errors import BadLanding
from include.lake.raw_ids import read_raw_ids
from include.lake.reading import open_rows
from include.names import LINE_NUMBER, OBJECT_KEY
from include.problems.reading import load_problem
from tests.include.lake.test_steps import EVENTS, JANUARY, ingest, land


@pytest.fixture
def masked(landing, flight):
    """Publish rows of two objects whose crew is masked."""
    landing.write_problem(
        columns={
            "flight_id": {"type": "string"},
            "at": {"type": "timestamp"},
            "crew": {"type": "string", "pii": "identifier"},
        }
    )
    landing.drop("a.jsonl", flight("a", crew="ann"), "", flight("b", crew=" b|ob "), flight("c", crew="한국"))
    landing.drop("b.jsonl.gz", flight("d"))
    land()
    ingest()
    return open_rows(EVENTS, [JANUARY]).order_by("flight_id").to_pyarrow()


def test_ids_are_read_as_their_log_wrote_them_in_the_order_asked_for(masked):
    places = masked.select([OBJECT_KEY, LINE_NUMBER])
    assert masked["crew"].to_pylist()[0] != "ann"
    found = read_raw_ids(load_problem("flights"), JANUARY, "crew", places)
    assert found == ["ann", " b|ob ", "한국", None]
    backwards = places.take(pa.array([2, 0]))
    assert read_raw_ids(load_problem("flights"), JANUARY, "crew", backwards) == ["한국", "ann"]


def test_no_row_reads_no_object(masked, landing):
    (landing.folder / "flights" / "a.jsonl").unlink()
    places = masked.select([OBJECT_KEY, LINE_NUMBER])
    assert read_raw_ids(load_problem("flights"), JANUARY, "crew", places.slice(0, 0)) == []
    with pytest.raises(BadLanding):
        read_raw_ids(load_problem("flights"), JANUARY, "crew", places)
