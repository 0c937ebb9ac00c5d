import pytest

from include.errors import BadProblem
from include.problems import sql_binding
from include.problems.reading import load_problems, read_problem_file
from include.problems.sql_binding import Expression, complaint, require_bound
from include.settings import REPOSITORY
from tests.include.problems.conftest import OTHER_LOG

COLUMNS = {"arr_delay": "DOUBLE", "carrier": "VARCHAR", "sent_at": "TIMESTAMPTZ", "_row_key": "VARCHAR"}


def asked(sql, gives="boolean", **more):
    return complaint(Expression("x", sql, COLUMNS, gives, **more))


@pytest.mark.parametrize(
    ("sql", "gives"),
    [
        ("arr_delay > 15 -- late", "boolean"),
        ("carrier IN ('AA', 'B6') AND _row_key IS NOT NULL", "boolean"),
        ("sent_at + arr_delay * INTERVAL 1 minute", "timestamp"),
        ("strptime(carrier, '%d/%m/%Y')", "timestamp"),
        ("to_timestamp(arr_delay)", "timestamp"),
        ("extract(hour FROM sent_at)", "integer"),
        ("0.5 * 2", "number"),
        ("upper(carrier)", "string"),
        ("[carrier]", None),
    ],
)
def test_sql_about_declared_columns_is_sound(sql, gives):
    assert asked(sql, gives) is None


@pytest.mark.parametrize(
    ("sql", "gives", "said"),
    [
        (
            "arr_dealy > 15",
            "boolean",
            "names a column 'arr_dealy', which the problem does not have; did you mean 'arr_d",
        ),
        ("zzz > 15", "boolean", "names a column 'zzz', which the problem does not have; columns are: arr_delay, carr"),
        ("arr_delay", "boolean", "gives DOUBLE, and must give a yes or no"),
        ("carrier", "timestamp", "gives VARCHAR, and must give a time; strptime(text"),
        ("carrier > 15", "boolean", "cannot be used: Cannot compare values of type VARCHAR and type INTEGER_LITERAL"),
        ("arr_delay > 1/0", "boolean", "divides by zero, whatever a row holds"),
        (
            "arr_delay > 'late'",
            "boolean",
            "cannot be used: fails whatever a row holds: Could not convert string 'late'",
        ),
        ("arr_delay >", "boolean", "cannot be used: syntax error"),
        ("row_number() OVER () = 1", "boolean", "looks at other rows (OVER); an expression is about one row"),
        ("(SELECT TRUE)", "boolean", "holds a query of its own; an expression is about one row"),
        ("sum(arr_delay) > 1", "boolean", "cannot be used: "),
    ],
)
def test_wrong_sql_is_told_with_the_nearest_right_name_or_type(sql, gives, said):
    assert asked(sql, gives).startswith(said)


def test_a_query_of_an_expectation_is_bound_to_its_batch():
    assert asked("SELECT * FROM {batch} WHERE arr_delay > 1", None, is_query=True) is None
    assert "did you mean 'carrier'" in asked("SELECT carier FROM {batch}", None, is_query=True)


def test_a_mistake_in_sql_is_an_error_of_its_file_that_names_the_field(write_problem, tmp_path, monkeypatch):
    monkeypatch.setenv("MULGIL_HOME", str(tmp_path / "home"))
    path = write_problem("label.positive_when", "distanse_miles > 1")
    good, (error,) = load_problems(path.parent)
    assert (good, str(error).splitlines()[0]) == ([], "rides.yaml: 1 field(s) cannot be used.")
    assert "field label.positive_when: names a column 'distanse_miles'" in str(error)
    assert isinstance(error, BadProblem)


def test_a_file_found_sound_is_asked_about_once(tmp_path, monkeypatch):
    problem = read_problem_file(REPOSITORY / "include" / "problems" / "flight_delay.yaml")
    assert require_bound(problem, tmp_path / "cache") == []
    monkeypatch.setattr(sql_binding, "_ask_elsewhere", lambda _: pytest.fail("asked again"))
    assert require_bound(problem, tmp_path / "cache") == []


def test_where_nothing_can_be_remembered_sql_is_bound_all_the_same(tmp_path):
    problem = read_problem_file(REPOSITORY / "include" / "problems" / "flight_delay.yaml")
    (tmp_path / "file").touch()
    assert require_bound(problem, tmp_path / "file" / "cache") == []


RETURNS = OTHER_LOG | {"landing": "returns"}
FROM_LOG = {
    "classes": ["early", "late"],
    "positive": "late",
    "source": "log",
    "from": "returns",
    "on": {"ride_id": "ride_id"},
    "within": "P30D",
    "absent": "early",
}


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        ("returns.reason = 'broken'", []),
        ("returns.cause = 'broken'", ["field label.positive_when: cannot be used: Could not find key"]),
        ("reason = 'broken'", ["field label.positive_when: names a column 'reason', which the problem does not have"]),
    ],
)
def test_a_label_may_name_the_columns_of_its_log_and_no_other(read, tmp_path, predicate, said):
    problem = read("label", FROM_LOG | {"positive_when": predicate}, sources={"returns": RETURNS})
    found = require_bound(problem, tmp_path)
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("sum(distance_miles) / count(*)", []),
        ("sum(miles)", ["field source.lags.x.sql: names a column 'miles'"]),
        ("distance_miles", ["field source.lags.x.sql: cannot be used"]),
    ],
)
def test_a_lag_is_an_aggregate_over_columns_that_are_there(read, tmp_path, sql, said):
    lag = {"per": "origin", "over": "P7D", "sql": sql}
    complaints = require_bound(read("source.lags", {"x": lag}), tmp_path)
    found = [line for line in complaints if "source.lags" in line]
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("distance_miles * 2", []),
        ("origin", ["field label.value: gives VARCHAR, and must give a number"]),
        ("TRY_CAST(origin AS DOUBLE)", []),
    ],
)
def test_the_value_of_a_quantity_is_a_number(read, tmp_path, value, said):
    label = {"quantity": {"unit": "miles"}, "source": "log", "known_when": "TRUE", "value": value}
    assert (
        require_bound(
            read("value", {"unit": "dollars", "over": 1, "under": 1}, label=label, baseline=None, training=None),
            tmp_path,
        )
        == said
    )


@pytest.mark.parametrize(("sql", "said"), [("origin <> 'x'", []), ("colour = 'x'", ["colour"]), ("a", ["yes or no"])])
def test_who_is_eligible_is_asked_of_stored_columns_as_a_yes_or_no(read, tmp_path, sql, said):
    problem = read("experiment.eligible", sql)
    complaints = require_bound(problem, tmp_path / "cache")
    assert len(complaints) == len(said)
    assert all(
        word in line and "field experiment.eligible" in line for word, line in zip(said, complaints, strict=True)
    )
