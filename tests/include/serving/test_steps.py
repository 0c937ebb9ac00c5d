import pytest

from include.errors import BadAllocation, BadSettings
from include.serving import store
from include.serving.allocation_file import decode_allocation
from include.serving.clients.evaluate import evaluate
from include.serving.steps import publish_allocation
from include.settings import read_settings
from include.warehouse.tables.experiments import ALLOCATION
from tests.include.serving.factories import KEY, PUBLIC


def publish():
    return publish_allocation(problem="campaign", partition_key="2004-11-01", run_id="r")


def published() -> bytes | None:
    return store.open_published(read_settings()).read(store.published_key("campaign"))


def test_the_newest_window_is_published_signed_and_says_who_gets_what(shares):
    shares.set("2004-11-01")
    outcome = publish()
    assert (outcome["n_rows"], outcome["is_new"]) == (2, True)
    allocation = decode_allocation("campaign", published(), PUBLIC)
    experiment = allocation["experiments"]["experiment"]
    assert (experiment["window"], experiment["phase"]) == ("2004-11-01", "pilot")
    assert {evaluate(experiment, f"person-{index}") for index in range(50)} == {"none", "large"}


def test_shares_that_stay_leave_the_file_and_new_ones_get_a_later_revision(shares):
    shares.set("2004-11-01")
    first, before = publish(), published()
    again = publish()
    assert (published(), again["is_new"], again["revision"]) == (before, False, first["revision"])
    shares.set("2004-11-02", [("large", 0.0, 1.0)], phase="rest")
    later = publish()
    assert later["is_new"]
    assert later["revision"] > first["revision"]


def test_a_file_that_somebody_changed_is_published_over(shares):
    shares.set("2004-11-01")
    publish()
    store.open_published(read_settings()).write(store.published_key("campaign"), b"forged")
    assert publish()["is_new"]
    assert decode_allocation("campaign", published(), PUBLIC)["problem"] == "campaign"


def test_a_salt_that_was_edited_after_the_decision_moves_nobody(shares):
    shares.set("2004-11-01")
    shares.plan("2004-11-01", {"salt": "as-decided", "unit": "person_id"})
    publish()
    assert decode_allocation("campaign", published(), PUBLIC)["experiments"]["experiment"]["salt"] == "as-decided"


def test_before_the_first_window_nothing_is_published(shares):
    assert publish()["reason"] == "no window has shares yet"
    assert published() is None


def test_when_no_window_is_left_what_was_published_gives_nobody_anything(shares):
    shares.set("2004-11-01")
    first = publish()
    with shares.engine.begin() as connection:
        connection.execute(ALLOCATION.delete())
    taken_back = publish()
    assert (taken_back["n_rows"], taken_back["is_new"]) == (0, True)
    assert taken_back["revision"] > first["revision"]
    experiment = decode_allocation("campaign", published(), PUBLIC)["experiments"]["experiment"]
    assert (experiment["phase"], experiment["ranges"], evaluate(experiment, "person-1")) == ("hold", [], None)
    assert not publish()["is_new"]


def test_without_a_key_nothing_is_published_and_the_outcome_says_so(shares, monkeypatch):
    monkeypatch.delenv("MULGIL_SIGNING_KEY")
    shares.set("2004-11-01")
    assert "MULGIL_SIGNING_KEY" in publish()["reason"]
    assert published() is None


def test_a_key_that_anybody_guesses_publishes_nothing(shares, monkeypatch):
    monkeypatch.setenv("MULGIL_SIGNING_KEY", "short")
    shares.set("2004-11-01")
    with pytest.raises(BadSettings, match="5 characters"):
        publish()


def test_shares_that_overlap_are_never_published(shares):
    shares.set("2004-11-01", [("none", 0.0, 0.6), ("large", 0.5, 1.0)])
    with pytest.raises(BadAllocation, match="overlap"):
        publish()
    assert published() is None


def test_the_public_half_of_the_key_is_told(shares):
    shares.set("2004-11-01")
    assert publish()["public_key"] == KEY.public_key().public_bytes_raw().hex()
