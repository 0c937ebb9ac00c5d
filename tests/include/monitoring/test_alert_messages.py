from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.monitoring.alert_messages import (
    LONGEST_SUBJECT,
    WIDTH,
    Happening,
    cells,
    facts_of,
    fold,
    one_line,
    write_subject,
    write_text,
)

NOW = datetime(2013, 6, 1, tzinfo=UTC)
LINK = "https://airflow.example.org/team/mulgil/reports/alerts/a_problem_with_quite_a_long_name_that_no_line_holds"


def make_event(event="opened", number=1, **changes):
    row = {"problem": "rides", "alert_id": "drift", "event_number": number, "event": event, "partition_key": "2013-05"}
    row |= {"is_by_person": False, "actor": "monitor", "reason": "rides, 2013-05: 2 of 9 watched columns have moved."}
    row |= {"until_utc": None, "metric": "psi_ratio", "subject": "speed, origin", "value": 0.41234567, "bound": 0.25}
    return row | {"happened_at_utc": NOW} | changes


def make_alert(n_findings=2, **changes):
    finding = {"metric": "psi_ratio", "value": 0.41234567, "bound": 0.25}
    findings = [finding | {"subject": f"column_{n}"} for n in range(n_findings)]
    row = {"alert_id": "drift", "value": 0.41234567, "n_watched": 9, "findings": findings}
    return row | changes


def about(event=None, alert=None, opened=None):
    return Happening(event or make_event(), opened or make_event(), alert, LINK)


def test_an_opened_alert_says_what_how_many_the_worst_what_to_do_and_where():
    assert write_text(about(alert=make_alert()), "en").splitlines() == [
        "[alert] Columns of the log have moved",
        "Problem:",
        "  rides",
        "Partition:",
        "  2013-05",
        "What is wrong:",
        "  rides, 2013-05: 2 of 9 watched columns have moved.",
        "Concerned:",
        "  2 of 9",
        "The worst:",
        "  column_0: psi_ratio 0.4123, allowed 0.25",
        "What to do:",
        "  Find the reason where the data come from; what is mended closes by itself.",
        "  Snooze it on the page while somebody works on it, or close it there with a",
        "  reason where nothing is to be mended.",
        "Page:",
        f"  {LINK}",
    ]


def test_an_escalated_alert_says_why_and_what_it_is_about():
    event = make_event("escalated", 2, reason="Nobody closed or snoozed it within 1 day, 0:00:00.")
    text = write_text(about(event), "en")
    assert "Why you hear of it:\n  Nobody closed or snoozed it within 1 day" in text
    assert "2 of 9 watched columns have moved." in text
    assert "The worst:\n  speed, origin: psi_ratio 0.4123, allowed 0.25\n" in text
    assert "Concerned" not in text


@pytest.mark.parametrize(
    ("changes", "ended"),
    [({"reason": "2013-06 was fine again."}, "2013-06 was fine again."),
     ({"is_by_person": True, "actor": "ada", "reason": "a holiday"}, "ada: a holiday")],
)  # fmt: skip
def test_the_end_of_an_alert_says_who_ended_it_and_why(changes, ended):
    text = write_text(about(make_event("closed", 3, **changes)), "en")
    assert f"Why it ended:\n  {ended}\n" in text
    assert text.startswith("[alert closed] Columns of the log have moved\n")
    assert "The worst" not in text


def test_of_partitions_that_are_late_all_are_counted_not_those_that_are_listed():
    late = make_alert(100, alert_id="late", value=988.0, n_watched=1000)
    event = make_event(alert_id="late", metric="n_late", subject="2013-01", value=988.0, bound=0.0)
    text = write_text(about(event, late), "en")
    assert "988 of 1000" in text
    assert "2013-01: n_late 988, allowed 0" in text


def test_korean_comes_first_of_both_and_english_after_it():
    both = write_text(about(alert=make_alert()), "both")
    korean, english = (write_text(about(alert=make_alert()), language) for language in ("ko", "en"))
    assert both == f"{korean}\n{english}"
    assert korean.startswith("[알림] 입력 항목의 분포가 달라졌습니다\n문제:\n  rides\n")
    assert "감시 대상 9개 중 2개" in korean


def test_a_korean_letter_takes_two_cells():
    assert (cells("가a나 "), fold("가나다 라", 6)) == (6, ["가나다", "라"])


@pytest.mark.parametrize("language", ["en", "ko", "both"])
@pytest.mark.parametrize("event", ["opened", "escalated", "closed"])
def test_every_line_but_the_link_fits_80_cells(language, event):
    long = make_event(event, reason="가나다 " * 90 + "x" * 200, subject="열" * 100)
    for line in write_text(about(long, opened=long), language).splitlines():
        assert cells(line) <= WIDTH or LINK in line


@given(st.text(), st.integers(2, 30))
def test_folding_loses_no_letter_and_no_line_is_too_wide(text, width):
    lines = fold(text, width)
    assert "".join("".join(lines).split()) == "".join(one_line(text).split())
    assert all(cells(line) <= width for line in lines)


@given(st.text())
def test_a_subject_is_one_line_whatever_a_name_holds(text):
    subject = write_subject(about(make_event(alert_id=f"calibration:{text}")), "en")
    assert subject.isprintable()
    assert len(subject) <= LONGEST_SUBJECT


def test_a_name_with_ends_of_lines_adds_no_header():
    subject = write_subject(about(make_event(alert_id="calibration:a\r\nBcc: eve@example.org\u2028b")), "both")
    assert subject == "rides: 알림: 예측 확률이 실제와 다릅니다: a Bcc: eve@example.org b"


def test_a_masked_value_stays_as_it_was_masked():
    masked = "rides: [EMAIL] has moved. Most of all 'a3f0…'."
    assert f"  {masked}\n" in write_text(about(opened=make_event(reason=masked)), "en")


def test_a_program_gets_the_keys_and_the_link():
    assert facts_of(about()) == {
        "problem": "rides", "alert_id": "drift", "event": "opened", "event_number": 1, "partition_key": "2013-05",
        "link": LINK,
    }  # fmt: skip


def test_without_an_address_no_page_is_named():
    happening = Happening(make_event(), make_event(), None, "")
    assert "Page" not in write_text(happening, "en")
