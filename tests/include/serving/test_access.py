import json
import stat

import pytest

from include.errors import BadSettings
from include.serving.access import Limiter, add_key, admit, find_secret, read_keys, require_scope
from include.serving.refusals import RequestRefused


def test_a_key_is_known_by_its_hash_alone_and_the_file_is_private(tmp_path):
    path = tmp_path / "keys.json"
    secret = add_key(path, "shop", ["evaluate", "decide:cards"], 50)
    key = admit(read_keys(path), secret)
    assert (key.name, key.scopes, key.per_second) == ("shop", ("evaluate", "decide:cards"), 50.0)
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_key_of_the_same_name_replaces_the_old_one(tmp_path):
    path = tmp_path / "keys.json"
    old, other = add_key(path, "shop", ["evaluate"]), add_key(path, "app", ["evaluate"])
    new = add_key(path, "shop", ["evaluate"])
    assert {admit(read_keys(path), secret).name for secret in (new, other)} == {"shop", "app"}
    with pytest.raises(RequestRefused, match="not known"):
        admit(read_keys(path), old)


@pytest.mark.parametrize("secret", ["", "mulgil_forged", "\udcff", "x" * 100_000])
def test_a_key_that_nobody_gave_is_refused(tmp_path, secret):
    add_key(tmp_path / "keys.json", "shop", ["evaluate"])
    with pytest.raises(RequestRefused) as caught:
        admit(read_keys(tmp_path / "keys.json"), secret)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("scope", "problem", "is_good"),
    [("evaluate", "any", True), ("decide", "cards", True), ("decide", "late", False), ("metrics", None, False)],
)
def test_a_key_is_for_its_scopes_only(tmp_path, scope, problem, is_good):
    path = tmp_path / "keys.json"
    add_key(path, "shop", ["evaluate", "decide:cards"])
    key = next(iter(read_keys(path).values()))
    if is_good:
        require_scope(key, scope, problem)
    else:
        with pytest.raises(RequestRefused, match="'shop' is for evaluate, decide:cards") as caught:
            require_scope(key, scope, problem)
        assert caught.value.status == 403


@pytest.mark.parametrize(("scopes", "rate"), [(["everything"], 1), ([], 1), (["metrics:late"], 1), (["evaluate"], 0)])
def test_scopes_and_rates_that_are_none_are_refused(tmp_path, scopes, rate):
    with pytest.raises(BadSettings, match="not allowed"):
        add_key(tmp_path / "keys.json", "shop", scopes, rate)


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"keys": [{"name": "x"}]})])
def test_a_damaged_file_of_keys_is_an_error_a_missing_one_is_not(tmp_path, content):
    assert read_keys(tmp_path / "none.json") == {}
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(BadSettings, match="no file of keys"):
        read_keys(tmp_path / "keys.json")


def test_both_headers_carry_a_key():
    assert find_secret({"authorization": "Bearer abc"}) == find_secret({"x-api-key": "abc"}) == "abc"
    assert find_secret({"authorization": "Basic abc"}) == find_secret({}) == ""


def test_a_bucket_empties_and_fills_at_its_rate(tmp_path):
    path = tmp_path / "keys.json"
    add_key(path, "shop", ["evaluate"], 2)
    key = next(iter(read_keys(path).values()))
    limiter = Limiter()
    limiter.take(key, 0.0)
    limiter.take(key, 0.0)
    with pytest.raises(RequestRefused, match="2 times a second") as caught:
        limiter.take(key, 0.0)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 0.5)
    limiter.take(key, 0.5)
    with pytest.raises(RequestRefused):
        limiter.take(key, 0.6)
