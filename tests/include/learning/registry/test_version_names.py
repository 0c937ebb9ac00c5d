from include.learning.registry.version_names import point_of, seed_of


def test_a_name_is_a_point_and_a_seed():
    assert point_of("2013-06-00000a") == "2013-06"
    assert point_of("round-001-7ad7b4") == "round-001"
    assert seed_of("2013-06-00000a", 7) == [7, 10]
