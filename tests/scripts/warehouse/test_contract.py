import pytest

from include.warehouse.views import read_views
from scripts.warehouse import contract
from scripts.warehouse.contract import Contract, ContractBroken, add_version, promise_of


def make_contract(version: str, key: str = "problem", **columns: str) -> Contract:
    view = {"owner": "data", "key": [key], "freshness": "daily", "question": "How many?"}
    return Contract.model_validate({"version": version, "views": {"one": view | {"columns": {key: "key"} | columns}}})


FIRST = make_contract("1.0.0", n_rows="additive", low="not_additive")
HISTORY = {"1.0.0": promise_of(FIRST)}


def test_the_contract_of_this_repository_is_kept_and_its_version_written_down() -> None:
    promised, history = contract.read_contract(), contract.read_history()
    contract.require_views(promised)
    assert add_version(history, promised) == history, "run `make warehouse`"
    assert contract.HISTORY.read_text(encoding="utf-8") == contract.render_history(history)
    assert len(promised.views) == 12


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1", "1.9.0"])
def test_a_promised_column_that_goes_wants_a_major_version(version: str) -> None:
    less = make_contract(version, n_rows="additive")
    with pytest.raises(ContractBroken, match=r"1 promises went \(one\.low\) and 0 came.*2\.0\.0 or later"):
        add_version(HISTORY, less)


def test_a_key_that_changes_wants_a_major_version() -> None:
    columns = {"problem": "attribute", "n_rows": "additive", "low": "not_additive"}
    with pytest.raises(ContractBroken, match=r"key of one.*2\.0\.0 or later"):
        add_version(HISTORY, make_contract("1.5.0", key="low", **{k: v for k, v in columns.items() if k != "low"}))


def test_a_column_that_comes_wants_a_minor_version_and_is_then_remembered() -> None:
    columns = {"n_rows": "additive", "low": "not_additive", "high": "not_additive"}
    with pytest.raises(ContractBroken, match=r"1 came \(one\.high\).*1\.1\.0 or later"):
        add_version(HISTORY, make_contract("1.0.1", **columns))
    more = make_contract("1.1.0", **columns)
    assert add_version(HISTORY, more) == HISTORY | {"1.1.0": promise_of(more)}


def test_with_a_major_version_a_column_may_go() -> None:
    less = make_contract("2.0.0", n_rows="additive")
    assert list(add_version(HISTORY, less)) == ["1.0.0", "2.0.0"]


def test_versions_are_numbers_so_that_ten_comes_after_nine() -> None:
    more = make_contract("1.10.0", n_rows="additive", low="not_additive", high="not_additive")
    history = {"1.9.0": promise_of(FIRST), **HISTORY}
    assert list(add_version(history, more))[-1] == "1.10.0"
    assert add_version(add_version(history, more), more) == add_version(history, more)


def test_a_version_that_promises_nothing_new_is_refused() -> None:
    with pytest.raises(ContractBroken, match="leave the version alone"):
        add_version(HISTORY, make_contract("1.1.0", n_rows="additive", low="not_additive"))


def test_a_promise_of_what_no_view_has_is_refused_by_name() -> None:
    promised = contract.read_contract()
    left = [view for view in read_views() if view.name != "alert_open"]
    with pytest.raises(ContractBroken, match=r"12 promised columns.*bi\.alert_open\.problem"):
        contract.require_views(promised, left)


def test_a_key_without_its_column_is_refused(tmp_path) -> None:
    text = contract.CONTRACT.read_text(encoding="utf-8")
    broken = tmp_path / "contract.yaml"
    broken.write_text(text.replace("      feature: key\n", "      feature: attribute\n"), encoding="utf-8")
    with pytest.raises(ContractBroken, match="drift_by_feature: its key is"):
        contract.read_contract(broken)
    broken.write_text(text.replace("n_in: additive", "n_in: adds"), encoding="utf-8")
    with pytest.raises(ContractBroken, match="not a contract"):
        contract.read_contract(broken)


def test_before_the_first_version_there_is_no_history(tmp_path) -> None:
    assert contract.read_history(tmp_path / "none.yaml") == {}
    assert add_version({}, FIRST) == HISTORY
