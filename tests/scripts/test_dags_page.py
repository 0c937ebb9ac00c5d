from include.names import Single, Stage
from scripts import dags_page


def test_the_page_of_the_dags_is_not_stale() -> None:
    assert dags_page.PAGE.read_text(encoding="utf-8") == dags_page.render(), "run `make dags`"


def test_every_stage_and_what_to_do_when_it_is_red_is_on_the_page() -> None:
    page = dags_page.render()
    assert page.count("**When this is red:**") == len(Stage) + len(Single)
    assert "`campaign__experiment`" in page
    assert "`campaign__train`" not in page
