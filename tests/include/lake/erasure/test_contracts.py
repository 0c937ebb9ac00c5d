from dataclasses import fields

from include.lake.erasure.contracts import ErasedSubject, ProvenErased


def test_every_count_has_its_own_place():
    erased = ErasedSubject(1, 2, 3, 4, 5, 6, ("log",), 7)
    assert [erased.to_xcom()[one.name] for one in fields(erased)] == [1, 2, 3, 4, 5, 6, ["log"], 7]
    assert ProvenErased(3, 4).to_xcom() == {"n_rows": 0, "n_places": 3, "n_tables": 4}


def test_what_was_removed_from_several_logs_is_added_up():
    both = [ErasedSubject(1, 2, 3, 4, 5, 6, ("b", "a"), 7), ErasedSubject(10, 20, 30, 40, 50, 60, ("a", "c"), 70)]
    assert ErasedSubject.together(both) == ErasedSubject(11, 22, 33, 44, 55, 66, ("a", "b", "c"), 77)
