"""What a problem file would do is said without Airflow, in the words of ingest."""

import json

import pytest
import yaml

from scripts.check_problem import main

PROBLEM = {
    "name": "loans",
    "title": "t",
    "why": "w",
    "owner": "o",
    "escalation": "e",
    "source": {
        "landing": "loans",
        "format": "auto",
        "grain": "month",
        "key": ["loan_id"],
        "event_time": "at",
        "columns": {
            "loan_id": {"type": "string"},
            "at": {"type": "timestamp"},
            "amount": {"type": "integer"},
            "mail": {"type": "string", "pii": "identifier"},
            "paid": {"type": "boolean", "known": "later"},
        },
    },
    "label": {
        "classes": ["paid", "lost"],
        "positive": "lost",
        "source": "log",
        "known_when": "paid IS NOT NULL",
        "positive_when": "NOT paid",
    },
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    monkeypatch.setenv("MULGIL_HOME", str(tmp_path / "home"))

    def write(**sections):
        (tmp_path / "loans.yaml").write_text(yaml.safe_dump(PROBLEM | sections))
        return tmp_path

    return write


def loan(i, **more):
    row = {"loan_id": f"l{i}", "at": f"2024-0{i % 2 + 1}-05T10:00:00Z", "amount": i, "mail": "a@b.test", "paid": i > 1}
    return json.dumps(row | more)


def test_counts_reasons_partitions_and_label_are_those_of_ingest(write, capsys):
    folder = write(active=True)
    log = folder / "loans.jsonl"
    rows = [loan(0), loan(1), loan(2), loan(3, paid=None), loan(4, amount="many"), loan(5, more="x"), loan(0), "{"]
    log.write_text("\n".join(rows))
    assert main(["loans", "--from", str(log)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "loans.yaml is sound. It calls for 3 DAGs, which begin by themselves:",
        "  loans__land, loans__ingest, loans__upkeep",
        "Sample of loans: 8 records, the first 5,000 of each file (loans/loans.jsonl as jsonl).",
        "  5 would be published, in 2 partitions (2024-01 to 2024-02).",
        "  2 would go to quarantine:",
        "    1 times: amount is not a whole number (it holds 'many')",
        "    1 times: record is not JSON",
        "  1 would be left out as duplicates: an earlier row has the same loan_id.",
        "  1 fields are not declared, and are kept in _unknown_fields: more in 1 rows.",
        "  Label: lost 3 times, paid 2 times; unknown of 1 rows.",
    ]


def test_what_has_landed_is_read_where_no_file_is_named(write, capsys):
    folder = write()
    assert main(["loans"]) == 0
    told = capsys.readouterr().out
    assert f"loans: nothing lies in {folder}/home/landing/loans yet" in told
    assert "which somebody unpauses in Airflow" in told
    landing = folder / "home" / "landing" / "loans"
    landing.mkdir(parents=True)
    (landing / "a.json").write_text(f"[{loan(0)}, {loan(2)}]")
    (landing / "b.jsonl").write_text("".join(loan(i) + "\n" for i in range(10, 6_000)))
    assert main(["loans"]) == 0
    told = capsys.readouterr().out
    assert (
        "Sample of loans: 5,002 records, the first 5,000 of each file (loans/a.json as json_array, "
        "loans/b.jsonl as jsonl)" in told
    )


def test_a_file_of_which_nothing_can_be_used_is_a_failure(write, capsys):
    folder = write()
    (folder / "other.csv").write_text("x,y\n1,2\n")
    assert main(["loans", "--from", str(folder / "other.csv")]) == 1
    told = capsys.readouterr().out
    assert "  0 would be published." in told
    assert "object has none of the columns of the problem's file" in told


def test_a_broken_file_says_what_airflow_would(write, capsys):
    write(monitor={"features": ["amonut"], "reference_partitions": 1})
    assert main(["loans"]) == 1
    assert (
        "monitor.features: 'amonut' is not declared in source.columns; did you mean 'amount'?"
        in capsys.readouterr().err
    )
    assert main(["nobody"]) == 1
    assert "There is no problem 'nobody'" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_sentence(write, capsys):
    folder = write()
    assert main(["loans", "--from", str(folder / "gone.csv")]) == 1
    assert "There is no file" in capsys.readouterr().err


RETURNS = {
    "landing": "returns",
    "grain": "month",
    "key": ["return_id"],
    "event_time": "came_at",
    "columns": {
        "return_id": {"type": "string"},
        "came_at": {"type": "timestamp"},
        "loan": {"type": "string"},
    },
}
OF_RETURNS = {
    "classes": ["kept", "returned"],
    "positive": "returned",
    "source": "log",
    "from": "returns",
    "on": {"loan_id": "loan"},
    "within": "P30D",
    "absent": "kept",
}


def land_returns(home, *returns):
    rows = [
        {"return_id": f"r{place}", "came_at": f"2024-{month}T10:00:00Z", "loan": loan_id}
        for place, (loan_id, month) in enumerate(returns)
    ]
    for name, lines in {"loans": [loan(i) for i in range(4)], "returns": map(json.dumps, rows)}.items():
        folder = home / "home" / "landing" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.jsonl").write_text("\n".join(lines))


def test_labels_of_another_log_are_counted_by_what_they_name(write, capsys):
    home = write(sources={"returns": RETURNS}, label=OF_RETURNS)
    assert main(["loans"]) == 0
    assert (
        "Label: it comes in returns; whether it finds its rows is said, without FROM=, of what"
        in capsys.readouterr().out
    )
    land_returns(
        home, ("l0", "01-20"), ("l1", "02-05"), ("l2", "06-01"), ("l3", "01-01"), ("other", "01-20"), (None, "01-20")
    )
    assert main(["loans"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "  Label: 2 of 6 rows of returns in the sample name a row in the sample and came within label.within; "
        "1 came later, 1 before their row, 1 name no row, 1 have no key."
    )


def test_labels_that_name_no_row_are_shown_beside_the_keys(write, capsys):
    home = write(sources={"returns": RETURNS}, label=OF_RETURNS)
    land_returns(home, ("L-0", "01-20"), ("L-1", "02-05"))
    assert main(["loans"]) == 0
    told = capsys.readouterr().out
    assert "0 of 2 rows of returns in the sample name a row of the problem by loan_id = loan." in told
    assert "Keys of returns: 'L-0', 'L-1'; keys of the problem's rows: 'l0', 'l1', 'l2'" in told
