import asyncio
import json

import pytest

from include.serving import store
from include.serving.access import EVALUATE, add_key
from include.serving.refusals import RequestRefused
from include.serving.service import KEYS_FILE, Service
from include.settings import read_settings
from tests.include.serving.factories import SECRET, make_experiment, make_file

BODY = json.dumps({"context": {"targetingKey": "p1"}}).encode()


@pytest.fixture
def service(mulgil_home, tmp_path, monkeypatch):
    """Give a service over two experiments of one problem, without a warehouse."""
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "campaign.yaml").write_bytes((read_settings().problems_dir / "campaign.yaml").read_bytes())
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_SIGNING_KEY", SECRET)
    experiments = {"one": make_experiment(), "held": make_experiment(ranges=[], phase="hold")}
    store.open_published(read_settings()).write(store.published_key("campaign"), make_file(**experiments))
    made = Service(read_settings(), tmp_path / "serving")
    asyncio.run(made.reload())
    return made


def landed():
    paths = (read_settings().home / "landing").rglob("*.jsonl")
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_only_who_takes_part_is_logged_and_once_however_often_told(service):
    for _ in range(3):
        service.evaluate_all(service.snapshot.flags, BODY, "")
    asyncio.run(service.ship())
    assert [(record["experiment"], record["source"]) for record in landed()] == [("one", "bulk")]


def test_what_a_program_has_already_is_not_told_again_nor_logged(service):
    tag, answers = service.evaluate_all(service.snapshot.flags, BODY, "")
    assert len(answers) == 2
    assert service.evaluate_all(service.snapshot.flags, BODY, tag) == (tag, None)


def test_a_key_of_one_problem_sees_its_flags_and_of_another_none(service):
    keys = service.folder / KEYS_FILE
    own, other = add_key(keys, "own", ["evaluate:campaign"]), add_key(keys, "other", ["evaluate:late"])
    asyncio.run(service.reload())
    assert len(service.admit_to_flags({"x-api-key": own})) == 2
    with pytest.raises(RequestRefused, match="'other' is for evaluate:late"):
        service.admit_to_flags({"x-api-key": other})
    assert service.admit({"x-api-key": own}, EVALUATE, "campaign").name == "own"


def test_a_damaged_file_of_keys_leaves_those_that_were_known(service):
    secret = add_key(service.folder / KEYS_FILE, "own", ["evaluate"])
    asyncio.run(service.reload())
    (service.folder / KEYS_FILE).write_text("{")
    asyncio.run(service.reload())
    assert service.admit({"x-api-key": secret}, EVALUATE).name == "own"
    assert "no file of keys" in service.list_troubles()["reload"]


def test_landing_that_is_away_is_said_and_what_waits_lands_later(service):
    (read_settings().home / "landing").write_text("no folder")
    service.evaluate_one(service.snapshot.flags["campaign.one"], BODY)
    asyncio.run(service.ship())
    assert "It waits here" in service.list_troubles()["landing"]
    assert service.health(with_details=True)["waiting_for_landing_bytes"] > 0
    (read_settings().home / "landing").unlink()
    asyncio.run(service.ship())
    assert "landing" not in service.list_troubles()
    assert [record["unit"] for record in landed()] == ["p1"]


def test_whatever_goes_wrong_beside_the_answers_is_said_and_tried_again(service, tmp_path):
    service.evaluate_one(service.snapshot.flags["campaign.one"], BODY)
    (tmp_path / "serving" / "log").rename(tmp_path / "away")
    asyncio.run(service.ship())  # its file cannot be closed
    assert "It waits here" in service.list_troubles()["landing"]
    good, service.loader = service.loader, None
    asyncio.run(service.reload())
    assert "AttributeError" in service.list_troubles()["reload"]
    service.loader = good
    asyncio.run(service.reload())
    assert "reload" not in service.list_troubles()


def test_a_problem_without_a_model_is_told_so(service):
    with pytest.raises(RequestRefused, match="no version of it is promoted") as caught:
        asyncio.run(service.decide("campaign", b"{}"))
    assert caught.value.status == 404
