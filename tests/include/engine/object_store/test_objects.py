import os

import pytest

from include.engine.object_store.objects import fetched_objects, find_replaced, list_objects, local_objects
from include.errors import BadLanding


@pytest.fixture
def folder(house):
    path = house.home / "landing" / "p"
    path.mkdir(parents=True)
    return path


def versions(house):
    return {item.key: item.version for item in list_objects(house.settings, "p")}


def test_every_way_of_changing_a_file_changes_its_version(house, folder):
    path = folder / "a"
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    seen = [versions(house)["p/a"]]
    path.write_bytes(b"two")
    os.utime(path, (1, 1))
    seen.append(versions(house)["p/a"])
    (folder / ".b").write_bytes(b"six")
    os.utime(folder / ".b", (1, 1))
    (folder / ".b").replace(path)
    seen.append(versions(house)["p/a"])
    assert len(set(seen)) == 3


def test_a_name_in_another_encoding_is_listed_and_found_again(house, folder):
    name = os.fsdecode(b"\xb7\xce")
    (folder / name).write_bytes(b"x")
    (folder / "\\xb7").write_bytes(b"plain")
    assert sorted(versions(house)) == ["p/\\xb7", "p/\\xb7\\xce"]
    with local_objects(house.settings, sorted(versions(house))) as found:
        assert [item.path.read_bytes() for item in found] == [b"plain", b"x"]


def test_one_object_that_is_gone_is_told_beside_those_that_are_there(house, folder):
    (folder / "a").write_bytes(b"x")
    with fetched_objects(house.settings, ["p/a", "p/gone"]) as (found, troubles):
        assert ([item.key for item in found], list(troubles)) == (["p/a"], ["p/gone"])
    with pytest.raises(BadLanding, match="p/gone cannot be read"), local_objects(house.settings, ["p/a", "p/gone"]):
        pass


def test_a_file_that_is_rewritten_while_it_is_read_is_noticed(house, folder):
    (folder / "a").write_bytes(b"x")
    with local_objects(house.settings, ["p/a"]) as found:
        assert find_replaced(found) == []
        (folder / "a").write_bytes(b"xy")
        assert find_replaced(found) == ["p/a"]
