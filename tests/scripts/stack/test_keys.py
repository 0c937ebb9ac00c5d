"""Generated keys and passwords."""

import json
from pathlib import Path

import pytest

from scripts.stack import keys
from scripts.stack.errors import StackError


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path):
    made = keys.make_keys(tmp_path / "secrets.json")
    assert keys.make_keys(tmp_path / "secrets.json") == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_no_two_homes_and_no_two_users_share_a_password():
    one, two = keys.Keys(), keys.Keys()
    passwords = [*one.user_passwords.values(), *two.user_passwords.values()]
    assert len({*passwords}) == 2 * len(keys.USERS)
    assert one.fernet_key != two.fernet_key


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"fernet_key": '])
def test_a_damaged_file_is_refused_with_a_remedy(text: str, tmp_path: Path):
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(StackError, match=r"missing or damaged.*make clean"):
        keys.make_keys(tmp_path / "secrets.json")


def test_a_home_of_an_earlier_mulgil_gets_what_it_lacks_and_keeps_the_rest(tmp_path: Path):
    path = tmp_path / "secrets.json"
    made = keys.make_keys(path)
    stored = json.loads(path.read_text())
    del stored["bi_password"], stored["user_passwords"]["lead"]
    path.write_text(json.dumps(stored))
    assert keys.read_keys(path).bi_password == ""
    later = keys.make_keys(path)
    assert later.bi_password
    assert later.user_passwords["lead"]
    assert later.fernet_key == made.fernet_key
    assert later.user_passwords["admin"] == made.user_passwords["admin"]
    assert keys.read_keys(path) == later
    assert path.stat().st_mode & 0o777 == 0o600
