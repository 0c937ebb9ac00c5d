import re

import pytest

from include.monitoring.alert_words import CAUSES, LINES, name_cause


@pytest.mark.parametrize("words", [CAUSES, LINES])
def test_both_languages_have_the_same_words_and_korean_ones_are_korean(words):
    assert set(words["en"]) == set(words["ko"])
    odd = [name for name, text in words["ko"].items() if not re.search("[가-힣]", text)]
    assert odd == (["by_person"] if words is LINES else [])


def test_a_sentence_names_the_same_values_in_both_languages():
    for name, text in LINES["en"].items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", LINES["ko"][name])), name


def test_a_cause_is_named_with_its_class_and_an_unknown_one_by_itself():
    assert name_cause("en", "calibration:late") == "Probabilities are off: late"
    assert name_cause("ko", "drift") == "입력 항목의 분포가 달라졌습니다"
    assert name_cause("en", "review_overdue") == "review overdue"
