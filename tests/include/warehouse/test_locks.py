"""A lock is the same for everybody who names it, is another for other names, and ends with the transaction."""

from sqlalchemy import create_engine, text

from include.warehouse.locks import lock_number, lock_until_commit

TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")


def test_names_that_read_alike_joined_are_different_locks():
    assert len({lock_number("ab", "c"), lock_number("a", "bc"), lock_number("abc"), lock_number("c", "ab")}) == 4


def test_a_number_fits_what_postgresql_locks_by():
    numbers = [lock_number(str(number)) for number in range(500)]
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert len(set(numbers)) == 500
    assert min(numbers) < 0 < max(numbers)


def test_nobody_else_holds_a_name_until_the_transaction_ends(warehouse_url):
    engine = create_engine(warehouse_url)
    with engine.connect() as first, engine.connect() as second:
        lock_until_commit(first, "review", "p")
        asked = {"lock": lock_number("review", "p")}
        assert second.scalar(TRY, asked) is False
        assert second.scalar(TRY, {"lock": lock_number("review", "q")}) is True
        second.rollback()
        first.commit()
        assert second.scalar(TRY, asked) is True
    engine.dispose()
