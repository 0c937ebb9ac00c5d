from include.serving import store
from include.settings import read_settings


def test_only_the_newest_window_of_each_experiment_is_in_force(shares):
    shares.set("2004-11-01")
    shares.set("2004-11-02", [("large", 0.0, 1.0)], phase="rest")
    shares.set("2004-11-01", experiment="other")
    with shares.engine.connect() as connection:
        rows = store.read_shares_in_force(connection, "campaign")
        assert store.read_shares_in_force(connection, "recommendation") == []
    found = [(row["experiment"], row["partition_key"], row["variant"]) for row in rows]
    assert found == [
        ("experiment", "2004-11-02", "large"),
        ("other", "2004-11-01", "none"),
        ("other", "2004-11-01", "large"),
    ]


def test_a_window_comes_with_the_plan_that_made_it(shares):
    shares.set("2004-11-01")
    shares.plan("2004-11-01", {"salt": "older", "unit": "household"})
    with shares.engine.connect() as connection:
        rows = store.read_shares_in_force(connection, "campaign")
    assert [row["plan"] for row in rows] == [{"salt": "older", "unit": "household"}] * 2


def test_files_are_published_beside_the_lakes_tables(mulgil_home):
    store.open_published(read_settings()).write(store.published_key("campaign"), b"x")
    assert (mulgil_home / "lake" / "_allocation" / "campaign" / "allocation.json").read_bytes() == b"x"
