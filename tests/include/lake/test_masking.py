import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadSettings
from include.lake.masking import hash_identifier, mask, mask_contact, mask_free_text

pytestmark = pytest.mark.usefixtures("each_engine")


def apply(function, *texts):
    rows = relation_of_arrow(open_engine(), pa.table({"t": pa.array(texts, pa.string())}))
    masked = [value.as_py() for value in rows.select(v=function(rows.t)).to_pyarrow()["v"]]
    return masked[0] if len(texts) == 1 else masked


@pytest.mark.parametrize(
    ("contact", "masked"),
    [
        ("jane@example.org", "j***@example.org"),
        ("Jane Doe <Jane.Doe+x@Mail.Example.ORG>", "j***@mail.example.org"),
        ("a@b.c, d@e.f", "a***@b.c"),
        ("root@localhost", "r***@localhost"),
        ("jane\uff20example.org", "j***@example.org"),
        ("Jane Doe", "***"),
        ("+1 555 123 4567", "***"),
        ("", "***"),
        (None, None),
    ],
)
def test_a_contact_keeps_its_first_letter_and_domain(contact, masked):
    assert apply(mask_contact, contact) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jane@example.org, or bob@x.co.uk!", "write to [email], or [email]!"),
        ("von jörg@exämple.de an 지수@물길.한국", "von [email] an [email]"),
        ("from 192.168.0.1 port 25", "from [ip] port 25"),
        ("at 2001:0db8:85a3:0000:0000:8a2e:0370:7334 now", "at [ip] now"),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
        ("card 4111111111111111", "card [card]"),
        ("call 1-800-555-1234 today", "call [phone] today"),
        ("call +44 20 7946 0958", "call [phone]"),
        ("call (212) 555-1234", "call [phone]"),
        ("call 555-1234", "call [phone]"),
        ("call +821012345678", "call [phone]"),
        ("+91 98765 43210, +33 1 23 45 67 89, +49 (0)30 123456", "[phone], [phone], [phone]"),
        ("030/1234567 or 010-1234-5678", "[phone] or [phone]"),
        ('to "jane doe"@example.org or jane@[203.0.113.7]', "to [email] or [email]"),
        ("jane\uff20example.org", "[email]"),
        ("3782 822463 10005 or 4111-1111-1111-1111", "[card] or [card]"),
        ("[2001:db8::1]:443 and 203.0.113.7:8080", "[[ip]]:443 and [ip]:8080"),
        (
            "v1.2.3 of 5000 1234 items, 100-200 people, 1998-2002",
            "v1.2.3 of 5000 1234 items, 100-200 people, 1998-2002",
        ),
        ("in 2002-08-22 at 12:30:45 for $1,000.00, 100% free", "in 2002-08-22 at 12:30:45 for $1,000.00, 100% free"),
        ("", ""),
        (None, None),
    ],
)
def test_what_tells_on_a_person_is_replaced_inside_a_text(text, masked):
    assert apply(mask_free_text, text) == masked


def test_masking_twice_changes_nothing_more():
    once = apply(mask_free_text, "jane@example.org 4111 1111 1111 1111 10.0.0.1 555-1234")
    assert apply(mask_free_text, once) == once


def test_the_same_identifier_has_the_same_hash_and_another_key_gives_another():
    first, again, other = apply(lambda t: hash_identifier(t, "k1"), "p1", "p1", "p2")
    assert first == again != other
    assert apply(lambda t: hash_identifier(t, "k2"), "p1") != first
    assert len(first) == 32
    assert apply(lambda t: hash_identifier(t, "k1"), None) is None


def test_an_identifier_without_a_key_is_refused():
    with pytest.raises(BadSettings, match="MULGIL_PII_KEY is empty"):
        apply(lambda t: mask(t, "identifier", ""), "p1")


@pytest.mark.parametrize(("pii", "masked"), [("none", "a@b.c x"), ("contact", "a***@b.c"), ("free_text", "[email] x")])
def test_the_class_chooses_the_mask(pii, masked):
    assert apply(lambda t: mask(t, pii, ""), "a@b.c x") == masked
