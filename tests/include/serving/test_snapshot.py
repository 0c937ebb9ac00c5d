import dataclasses
import json

import pytest

from include.learning.live import answers
from include.learning.registry.artifacts import load_registered
from include.serving import snapshot, store
from include.serving.snapshot import Loader, Snapshot
from include.settings import read_settings
from include.warehouse.database import engine_for
from tests.include.serving.factories import PUBLIC, make_experiment, make_file
from tests.include.serving.live_factories import WET, promote, write_problem

AWAY = "postgresql+psycopg://nobody@127.0.0.1:9/none"


@pytest.fixture
def problems(shares, tmp_path, monkeypatch):
    """Give a folder of two problems: the campaign's experiment, and `late` with a model."""
    folder = tmp_path / "problems"
    write_problem(folder)
    source = read_settings().problems_dir / "campaign.yaml"
    (folder / "campaign.yaml").write_bytes(source.read_bytes())
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    return folder


def publish(content):
    store.open_published(read_settings()).write(store.published_key("campaign"), content)


def loader(**changes):
    settings = dataclasses.replace(read_settings(), **changes)
    return Loader(settings, settings.home / "serving", PUBLIC)


@pytest.fixture
def loaded(problems, house):
    publish(make_file(revision=7))
    promote(house.engine, "v1")
    return loader().load(Snapshot())


def test_everything_published_and_promoted_is_answered_from(loaded):
    assert (dict(loaded.troubles), list(loaded.flags)) == ({}, ["campaign.experiment"])
    assert loaded.models["late"].live.version == "v1"


def test_what_did_not_change_is_not_loaded_again_and_what_did_is(loaded, house):
    again = loader().load(loaded)
    assert again.models["late"] is loaded.models["late"]
    promote(house.engine, "v2", seed=1)
    publish(make_file(revision=8, experiment=make_experiment(phase="rest")))
    later = loader().load(again)
    assert later.models["late"].live.version == "v2"
    assert later.flags["campaign.experiment"].revision == 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (make_file(revision=9).replace(b"large", b"small"), "signature is not ours"),
        (b"", "no signed allocation"),
        (make_file(revision=6), "Published is revision 6, older than 7"),
        (make_file("recommendation", revision=9), "Was it copied"),
    ],
)
def test_a_file_not_ours_or_of_the_past_leaves_the_last_good_one(loaded, content, said):
    publish(content)
    after = loader().load(loaded)
    assert after.flags == loaded.flags
    assert said in after.troubles["allocation of campaign"]
    assert "What was read last is served" in after.troubles["allocation of campaign"]


def test_after_a_restart_a_tampered_file_does_not_win_over_the_copy(loaded):
    publish(b"forged")
    after = loader().load(Snapshot())
    assert after.flags["campaign.experiment"].revision == 7


def test_with_store_and_warehouse_away_a_restart_serves_the_last_good_state(loaded, tmp_path):
    away = loader(warehouse_url=AWAY, lake_url="s3://bucket/lake", s3_endpoint="http://127.0.0.1:9", models_url="/none")
    after = away.load(Snapshot())
    assert after.flags == loaded.flags
    features = {name: WET[name] for name in after.models["late"].live.spec.columns}
    assert after.models["late"].live.answer([features]) == loaded.models["late"].live.answer([features])
    assert "The store is away" in after.troubles["allocation of campaign"]
    assert "The registry is away" in after.troubles["registry"]
    engine_for(AWAY).dispose()


def test_a_model_that_was_tampered_with_leaves_the_one_that_serves(loaded, house):
    row = promote(house.engine, "v2", seed=1)
    path = read_settings().home / "models" / "late" / row["artifact_url"]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    after = loader().load(loaded)
    assert after.models["late"].live.version == "v1"
    assert "changed after it was registered" in after.troubles["model of late"]


def test_a_problem_file_that_breaks_takes_nothing_away(loaded, problems):
    (problems / "late.yaml").write_text("name: [")
    after = loader().load(loaded)
    assert after.models["late"].live.version == "v1"
    assert "late.yaml" in " ".join(after.troubles.values())


def test_a_rollback_takes_the_version_out_also_where_none_is_left(loaded, house):
    promote(house.engine, "v1", event="rolled_back")
    assert loader().load(loaded).models == {}


def test_a_version_rolled_back_stays_out_when_the_registry_is_away(loaded, house):
    promote(house.engine, "v1", event="rolled_back")
    after = loader().load(loaded)
    assert loader(warehouse_url=AWAY).load(after).models == {}
    assert loader(warehouse_url=AWAY).load(Snapshot()).models == {}
    engine_for(AWAY).dispose()


@pytest.fixture
def unreadable(loaded, house, monkeypatch):
    """Promote a second version that this release of scikit-learn cannot restore."""
    promote(house.engine, "v2", seed=1)

    def restore(folder, row):
        if row["model_version"] == "v2":
            raise ModuleNotFoundError("No module named 'sklearn.gone'")
        return load_registered(folder, row)

    monkeypatch.setattr(answers, "load_registered", restore)


def test_a_model_that_cannot_be_restored_leaves_the_one_before(loaded, unreadable):
    after = loader().load(loaded)
    assert after.models["late"].live.version == "v1"
    assert "ModuleNotFoundError: No module named" in after.troubles["model of late"]


def test_the_last_good_model_outlives_a_bad_one_and_a_restart(loaded, unreadable):
    loader().load(loaded)
    after = loader().load(Snapshot())
    assert after.models["late"].live.version == "v1"
    assert "What was read last is served" in after.troubles["model of late"]
    away = loader(warehouse_url=AWAY).load(Snapshot())
    assert away.models["late"].live.version == "v1"
    engine_for(AWAY).dispose()


def test_a_quantity_is_no_trouble_and_says_why_it_is_not_asked(problems, house, monkeypatch):
    publish(make_file(revision=7))
    promote(house.engine, "v1")
    monkeypatch.setattr(snapshot, "why_unanswered", lambda problem: f"{problem.name}: its label is a quantity")
    after = loader().load(Snapshot())
    assert (after.models, dict(after.troubles)) == ({}, {})
    assert after.unanswered == {"late": "late: its label is a quantity"}


def test_the_state_on_disk_is_whole_and_holds_one_model(loaded, house):
    promote(house.engine, "v2", seed=1)
    loader().load(loaded)
    folder = read_settings().home / "serving" / "late"
    assert len(list(folder.glob("*.skops"))) == 1
    assert json.loads((folder / "model.json").read_text())["model_version"] == "v2"
