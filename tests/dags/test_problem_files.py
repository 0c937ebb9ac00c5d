def test_good_files_and_no_files_are_no_import_error(dags, no_dags):
    assert dags.import_errors == no_dags.import_errors == {}
    assert no_dags.by_id == {}


def test_a_broken_file_is_one_import_error_that_names_file_field_and_remedy(dags_beside_a_broken_file):
    assert dags_beside_a_broken_file.import_errors.keys() == {"problem_files.py"}
    error = dags_beside_a_broken_file.import_errors["problem_files.py"]
    for part in ("campaign.yaml", "escalaton", "unknown key; remove it"):
        assert part in error


def test_two_broken_files_are_both_named_and_the_third_keeps_its_dags(load, write_problems):
    folder = write_problems(campaign=("owner:", "ownr:"), ad_review=("grain: ", "grain: half a "))
    loaded = load(folder)
    (error,) = loaded.import_errors.values()
    assert "campaign.yaml" in error
    assert "ad_review.yaml" in error
    assert loaded.of("ingest") == {"flight_delay"}
