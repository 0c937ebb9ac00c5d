import pytest

from include.errors import BadSettings
from include.serving.signing import find_public_key, is_signed, make_signer, read_public_key, sign, write_public_key

SECRET = "a secret that is as long as it has to be"


def test_the_same_bytes_and_secret_have_the_same_signature():
    assert sign(b"x", make_signer(SECRET)) == sign(b"x", make_signer(SECRET))
    assert sign(b"x", make_signer(SECRET)) != sign(b"y", make_signer(SECRET))
    assert sign(b"x", make_signer(SECRET)) != sign(b"x", make_signer(SECRET + "!"))


def test_one_changed_bit_among_good_ones_is_no_signature_any_more():
    key, content = make_signer(SECRET), bytes(range(40))
    signature = sign(content, key)
    assert is_signed(content, signature, key.public_key())
    changed = [content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] for place in range(40)]
    assert not any(is_signed(other, signature, key.public_key()) for other in changed)


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "ä"])
def test_what_is_no_signature_signs_nothing(signature):
    assert not is_signed(b"x", signature, make_signer(SECRET).public_key())


def test_the_public_half_checks_and_is_found_before_the_secret():
    public = write_public_key(make_signer(SECRET).public_key())
    signature = sign(b"x", make_signer(SECRET))
    assert is_signed(b"x", signature, read_public_key(public))
    assert is_signed(b"x", signature, find_public_key("", public))
    assert is_signed(b"x", signature, find_public_key("another secret, which is long enough, too", public))
    assert is_signed(b"x", signature, find_public_key(SECRET, ""))


def test_a_secret_that_anybody_guesses_is_refused_and_not_shown():
    with pytest.raises(BadSettings, match="has 7 characters") as caught:
        make_signer("hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["zz", "00", "0" * 63])
def test_a_public_key_that_is_none_is_refused(text):
    with pytest.raises(BadSettings, match="64 hexadecimal digits"):
        read_public_key(text)


def test_without_any_key_nothing_could_be_told_from_a_forgery():
    with pytest.raises(BadSettings, match="Neither"):
        find_public_key("", "")
