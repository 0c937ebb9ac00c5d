"""A proposal is a problem file that can be used as it stands, whatever shape the log has."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from include.errors import BadLanding, BadProblem
from include.problems.reading import read_problem_file
from scripts.propose_problem import main, propose_from, write_proposal

START = datetime(2024, 1, 1, tzinfo=UTC)


def table(header, row, separator=",", n=60):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(row(i) for i in range(n))
    return text.getvalue()


def at(i):
    return START + timedelta(hours=7 * i)


UPPER = table(
    ["ID", "LIMIT_BAL", "EDUCATION", "default.payment.next.month", "applied_on"],
    lambda i: [i, 1000 * i % 7000, ["univ", "?"][i % 2], int(i % 3 == 0), at(i).date()],
)
SHAPES = {
    "upper.csv": (UPPER.encode(), "default.payment.next.month"),
    "nested.jsonl": (
        "\n".join(
            json.dumps(
                {"id": f"e{i}", "actor": {"login": f"u{i}"}, "payload": {"tags": ["x"]}, "at": at(i).isoformat()}
            )
            for i in range(60)
        ).encode(),
        None,
    ),
    "array.json": (json.dumps([{"id": f"e{i}", "n": i, "at": at(i).isoformat()} for i in range(60)]).encode(), None),
    "timeless.csv": (table(["age", "happy"], lambda i: [20 + i % 40, ["no", "yes"][i % 3 > 0]]).encode(), "happy"),
    "codes.csv": (table(["score", "bad"], lambda i: [[-9, -8, 60][i % 3] + 0, i % 2]).encode(), "bad"),
    "three.tsv": (table(["species", "mass"], lambda i: ["abc"[i % 3] * 3, i], "\t").encode(), "species"),
    "quantity.csv": (table(["dteday", "hr", "cnt"], lambda i: [at(i).date(), i % 24, 37 * i % 91]).encode(), "cnt"),
    "orders.csv": (
        table(["InvoiceNo", "InvoiceDate", "Email"], lambda i: [i, f"{at(i):%d/%m/%Y %H:%M}", f"a{i}@b.test"]).encode(),
        None,
    ),
    "access.log": (
        "".join(
            f'a.test:443 10.0.0.{i} - - [{at(i):%d/%b/%Y:%H:%M:%S} +0000] "GET /" 200 5\n' for i in range(60)
        ).encode(),
        None,
    ),
    "wide.csv": (UPPER.encode("utf-16"), "default_payment_next_month"),
    "reserved.csv": (table(["order", "group", "from"], lambda i: [i, i % 2, 'a"b: {c'], ";").encode(), "group"),
    "한글.csv": (table(["이름", "나이"], lambda i: [f"김{i}", i]).encode("cp949"), None),
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_proposal_is_sound_without_an_edit(tmp_path, name):
    content, label = SHAPES[name]
    (tmp_path / name).write_bytes(content)
    proposal = propose_from(tmp_path / name, label=label)
    problem = read_problem_file(write_proposal(proposal, tmp_path))
    assert problem.active
    assert problem.quality is not None
    assert (problem.label is not None) == (
        label is not None and (name != "quantity.csv" or "quantity:" in proposal.text)
    )


def test_what_was_chosen_is_learned_from_what_is_known_before(tmp_path):
    (tmp_path / "upper.csv").write_bytes(SHAPES["upper.csv"][0])
    proposal = propose_from(tmp_path / "upper.csv", "loans", "default.payment.next.month")
    problem = read_problem_file(write_proposal(proposal, tmp_path))
    assert (problem.name, problem.source.key, problem.source.event_time) == ("loans", ["id"], "applied_on")
    assert problem.source.columns["limit_bal"].from_field == "LIMIT_BAL"
    assert problem.source.columns["education"].missing == ["?"]
    assert problem.label.positive_when == "default_payment_next_month = 1"
    assert problem.training.features.numeric == ["limit_bal"]
    assert problem.training.features.categorical == []


def test_without_a_label_what_might_be_predicted_stands_in_comments(tmp_path):
    (tmp_path / "upper.csv").write_bytes(SHAPES["upper.csv"][0])
    text = propose_from(tmp_path / "upper.csv").text
    assert "# What might be predicted: default_payment_next_month (two classes)" in text
    assert "\nlabel:" not in text


def test_a_file_that_is_there_is_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    log = tmp_path / "upper.csv"
    log.write_bytes(SHAPES["upper.csv"][0])
    assert main([str(log)]) == 0
    assert f"make check-problem NAME=upper FROM={log}" in capsys.readouterr().out
    (tmp_path / "upper.yaml").write_text("mine")
    assert main([str(log)]) == 1
    assert "is there already, and is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "upper.yaml").read_text() == "mine"


def test_a_label_that_no_column_has_is_refused_with_those_there_are(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadLanding, match=r"has no column 'z' to predict\. It has x, y"):
        propose_from(tmp_path / "a.csv", label="z")


def test_an_encoding_that_landing_does_not_read_is_told_with_its_command(tmp_path):
    (tmp_path / "wide.csv").write_bytes(SHAPES["wide.csv"][0])
    (note,) = propose_from(tmp_path / "wide.csv").notes
    assert note.endswith("iconv -f UTF-16 -t UTF-8 wide.csv > wide.utf8.csv")


@pytest.mark.parametrize("name", ["No Name", "ends_", "twice__", "1st", "x" * 49])
def test_a_name_that_is_none_is_told_before_anything_is_written(tmp_path, name):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadProblem, match="is no name of a problem"):
        propose_from(tmp_path / "a.csv", name)


def test_other_logs_of_the_problem_are_sources_with_folders_of_their_own(tmp_path):
    (tmp_path / "orders.csv").write_bytes(SHAPES["orders.csv"][0])
    (tmp_path / "returns_2024.csv").write_text(table(["InvoiceNo", "Returned At"], lambda i: [i, at(i).isoformat()]))
    proposal = propose_from(tmp_path / "orders.csv", also=[tmp_path / "returns_2024.csv"])
    problem = read_problem_file(write_proposal(proposal, tmp_path))
    assert list(problem.sources) == ["returns"]
    returns = problem.sources["returns"]
    assert (returns.landing, returns.key, returns.event_time) == ("orders_returns", ["invoice_no"], "returned_at")
    assert returns.columns["returned_at"].from_field == "Returned At"


ORDERS = table(["InvoiceNo", "InvoiceDate", "Price"], lambda i: [f"i{i}", at(i).isoformat(), i % 7])
# Each third order comes back, four days later or, once, 20.
RETURNS = table(
    ["InvoiceNo", "Returned At"],
    lambda i: [f"i{3 * i}", (at(3 * i) + timedelta(days=20 if i == 5 else 4)).isoformat()],
    n=20,
)


def propose_two(folder, orders=ORDERS, returns=RETURNS, **asked):
    (folder / "orders.csv").write_text(orders)
    (folder / "returns.csv").write_text(returns)
    return propose_from(folder / "orders.csv", also=[folder / "returns.csv"], **asked)


@pytest.mark.parametrize("asked", [{}, {"label": "returns"}])
def test_a_log_that_comes_after_the_rows_it_names_is_their_label(tmp_path, asked):
    problem = read_problem_file(write_proposal(propose_two(tmp_path, **asked), tmp_path))
    label = problem.label
    assert (label.source, label.from_log, label.on, label.within) == ("log", "returns", {}, timedelta(days=5))
    assert (label.classes, label.positive, label.absent) == (["no_returns", "returns"], "returns", "no_returns")
    assert problem.training.features.numeric == problem.monitor.features == ["price"]


def test_a_row_is_found_by_a_column_of_another_name_and_kind_of_key(tmp_path):
    lines = table(["line", "order", "at", "Price"], lambda i: [i, f"i{i}", at(i).isoformat(), i % 7])
    proposal = propose_two(tmp_path, lines)
    assert read_problem_file(write_proposal(proposal, tmp_path)).label.on == {"order": "invoice_no"}


def test_a_log_of_what_was_before_is_no_label_unless_somebody_says_so(tmp_path):
    before = table(["InvoiceNo", "at"], lambda i: [f"i{i}", (at(i) - timedelta(days=1)).isoformat()])
    assert "\nlabel:" not in propose_two(tmp_path, returns=before).text
    told = propose_two(tmp_path, returns=before, label="returns").text
    assert "within: P30D  # the sample does not show how long labels take" in told


def test_a_log_that_names_no_row_is_no_label(tmp_path):
    strange = table(["number", "at"], lambda i: [f"x{i}", at(i).isoformat()])
    assert "\nlabel:" not in propose_two(tmp_path, returns=strange).text
    with pytest.raises(BadLanding, match=r"'returns' names no row of .*: no column of both holds the same keys"):
        propose_two(tmp_path, returns=strange, label="returns")


def test_two_files_of_one_log_are_refused_instead_of_one_being_lost(tmp_path):
    for month in ("01", "02"):
        (tmp_path / f"returns_2024-{month}.csv").write_text(RETURNS)
    (tmp_path / "orders.csv").write_text(ORDERS)
    with pytest.raises(BadLanding, match="2 files of ALSO= are of one log, 'returns'"):
        propose_from(tmp_path / "orders.csv", also=sorted(tmp_path.glob("returns_*.csv")))


def test_a_log_beside_itself_or_called_as_a_column_is_refused(tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "price.csv").write_text(RETURNS)
    with pytest.raises(BadLanding, match=r"is FROM= and in ALSO=, too"):
        propose_from(tmp_path / "orders.csv", also=[tmp_path / "sub" / ".." / "orders.csv"])
    with pytest.raises(BadLanding, match=r"would be called 'price', as a column of .* is. Rename its file"):
        propose_from(tmp_path / "orders.csv", also=[tmp_path / "price.csv"])


def test_the_next_steps_land_every_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "returns.csv").write_text(RETURNS)
    assert main([str(tmp_path / "orders.csv"), "--also", str(tmp_path / "returns.csv")]) == 0
    said = capsys.readouterr().out
    assert f"cp {tmp_path / 'orders.csv'} .mulgil/landing/orders/" in said
    assert f"cp {tmp_path / 'returns.csv'} .mulgil/landing/orders_returns/" in said


@pytest.mark.parametrize(("first", "other"), [("visits", "on"), ("visits", "null"), ("yes", "returns")])
def test_names_that_yaml_would_read_as_something_else_are_names(tmp_path, first, other):
    (tmp_path / f"{first}.csv").write_text(ORDERS)
    (tmp_path / f"{other}.csv").write_text(RETURNS)
    proposal = propose_from(tmp_path / f"{first}.csv", also=[tmp_path / f"{other}.csv"])
    problem = read_problem_file(write_proposal(proposal, tmp_path))
    assert (problem.name, problem.label.from_log, problem.source.landing) == (first, other, first)


def test_a_label_slower_than_the_sample_is_known_for_no_row(tmp_path):
    late = table(["InvoiceNo", "at"], lambda i: [f"i{i}", (at(i) + timedelta(days=900)).isoformat()])
    assert "# No row of the sample is old enough for its label" in propose_two(tmp_path, returns=late).text
    assert "# No row of the sample" not in propose_two(tmp_path).text
