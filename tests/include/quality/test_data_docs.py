import pytest

from include.quality import data_docs
from include.quality.audit import audit_files
from include.quality.data_docs import keep_harmless, render_audit
from include.quality.verdicts import Audit

pytestmark = pytest.mark.slow


def question(expect, column, **arguments):
    return {"expect": expect, "severity": "stop", "arguments": arguments, **({"column": column} if column else {})}


QUESTIONS = [
    question("ExpectColumnValuesToBeBetween", "distance_miles", max_value=105),
    question("ExpectColumnMaxToBeBetween", "seats", max_value=3),
    question("ExpectColumnDistinctValuesToBeInSet", "email", value_set=["nobody"]),
    question("ExpectColumnMaxToBeBetween", "origin", max_value=3),
    question("ExpectTableRowCountToBeBetween", None, min_value=3),
]


@pytest.fixture
def audit(make_problem, stage):
    return lambda *questions, **columns: audit_files(make_problem(*(questions or QUESTIONS)), [stage(10, **columns)])


def test_the_page_says_what_great_expectations_says(audit):
    html = " ".join(render_audit(audit()).split())
    assert "4 unexpected values found. 40% of 10 total rows." in html
    assert "maximum value must be less than or equal to" in html
    assert html.count("fa-times") == 3
    assert html.count("fa-exclamation-triangle") == 1
    assert "could not draw" not in html
    assert "traceback" not in html


def test_it_has_nothing_that_runs_or_loads_and_no_address(audit):
    html = render_audit(audit())
    for forbidden in ("<script", "<link", "<a ", "<img", "href=", "src=", "style=", "onclick", "http", "id="):
        assert forbidden not in html, forbidden


def test_neither_values_of_personal_data_nor_errors_about_them_are_shown(audit):
    html = render_audit(audit(*QUESTIONS, question("ExpectColumnMaxToBeBetween", "email", max_value=3)))
    assert "***@example.org" not in html
    assert "whose words are withheld" in html


def test_the_same_answers_give_the_same_page(audit):
    assert render_audit(audit()) == render_audit(audit())
    assert render_audit(audit()) != render_audit(audit(seats=[9] * 10))


def test_a_partition_that_was_never_asked_about_says_why():
    html = render_audit(Audit(0, (), refusal="0 rows are staged <b>"))
    assert html == "<p>Great Expectations has nothing to show. 0 rows are staged &lt;b&gt;</p>"


def test_a_page_that_cannot_be_drawn_refuses_no_partition(audit, monkeypatch):
    monkeypatch.setattr(data_docs, "_harmless", lambda *_: 1 / 0)
    assert "could not draw its page (ZeroDivisionError)" in render_audit(audit())


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ('<p class="a" onclick="x()">hi</p>', '<p class="a">hi </p>'),
        ("<script>alert(1)</script><p>x</p>", "<p>x </p>"),
        ('<a href="javascript:x()">link</a>', "link "),
        ("<img src=x onerror=y><td>1 &lt; 2</td>", "<td>1 &lt; 2 </td>"),
        ('<p class="&quot;><script>">x</p>', '<p class="&quot;&gt;&lt;script&gt;">x </p>'),
        ("<svg><style>p{}</style></svg><i></i>", "<i></i>"),
        ("</script><p>x", "<p>x "),
    ],
)
def test_only_what_is_allowed_is_kept(html, kept):
    assert keep_harmless(html) == kept
