import numpy as np
import pandas as pd
import pytest

from include.learning.data.features import FeatureSpec
from include.learning.training.estimators import make_encoder
from include.problems.sections.learning import Features
from include.review.selection.embeddings import (
    NEAR_NUMBERS,
    NEAR_TEXTS,
    describe_items,
    near_distance_of,
    readers_of,
)

TEXT = Features(text=["subject", "body"])


def gaps(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=2)


def make_mails(*bodies: str | None) -> pd.DataFrame:
    return pd.DataFrame({"subject": ["hello"] * len(bodies), "body": list(bodies)})


def test_mails_of_one_topic_are_nearer_than_mails_of_two():
    gap = gaps(
        describe_items(make_mails("buy pills now", "buy pills today", "lunch with anna", "lunch at noon"), TEXT, 0)
    )
    assert max(gap[0, 1], gap[2, 3]) < gap[0, 2]


def test_a_copied_text_is_the_same_question_and_another_one_is_not():
    vectors = describe_items(
        make_mails("buy pills now", "buy pills now", "lunch with anna", "lunch pills now"), TEXT, 0
    )
    gap = gaps(vectors)
    assert gap[0, 1] < NEAR_TEXTS < gap[0, 2]


def test_missing_text_and_words_that_nobody_shares_describe_nothing():
    assert np.isfinite(describe_items(make_mails(None, None), Features(text=["body"]), 0)).all()
    assert not describe_items(make_mails("a1", "b2"), Features(text=["body"]), 0).any()


def test_an_extreme_number_is_far_away_and_a_hundred_times_further_is_no_further():
    far, further = (
        describe_items(pd.DataFrame({"x": [1.0, 2, 3, 4, value]}), Features(numeric=["x"]), 0)[-1, 0]
        for value in (1e3, 1e5)
    )
    assert far == further == 3.0


def test_a_missing_number_is_the_middle_and_a_column_without_any_says_nothing():
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0, np.inf], "y": [np.nan] * 4})
    vectors = describe_items(frame, Features(numeric=["x", "y"]), 0)
    assert vectors[1].tolist() == vectors[3].tolist() == [0.0, 0.0]
    assert not vectors[:, 1].any()


def test_the_unit_of_a_number_changes_nothing():
    frame = pd.DataFrame({"x": [1.0, 2.0, 7.0, 9.0]})
    in_metres, in_feet = (describe_items(frame * factor, Features(numeric=["x"]), 0) for factor in (1.0, 3.28))
    assert np.allclose(in_metres, in_feet)


def test_two_categories_are_further_apart_than_none_and_a_missing_one_is_a_category():
    vectors = describe_items(pd.DataFrame({"c": ["a", "b", None, "a"]}), Features(categorical=["c"]), 0)
    gap = gaps(vectors)
    assert gap[0, 3] == 0.0
    assert gap[0, 1] == gap[0, 2] == pytest.approx(np.sqrt(2))


def test_no_items_have_no_description():
    assert describe_items(make_mails(), TEXT, 0).shape[0] == 0


def test_only_texts_are_copies_when_they_are_merely_near():
    assert near_distance_of(TEXT) == NEAR_TEXTS
    assert near_distance_of(Features(numeric=["x"])) == NEAR_NUMBERS


@pytest.mark.parametrize("name", ["text_logistic", "text_pieces", "text_characters"])
def test_a_text_is_told_from_others_by_the_terms_that_its_model_reads(name):
    texts = [f"물길은 {word} 흐른다 caf\u00e9" for word in ("빨리", "천천히", "멀리", "깊이")] * 6
    frame = pd.DataFrame({"text": texts})
    encoder = make_encoder(name, FeatureSpec((), {}, ("text",)), frame).fit(frame)
    own = [set(part.vocabulary_) for _, part, _ in encoder.transformers_ if hasattr(part, "vocabulary_")]
    assert [set(reader.fit(texts).vocabulary_) for reader in readers_of([name])] == own


def test_of_characters_two_texts_without_a_shared_word_may_be_alike():
    frame = make_mails("물길은 흐른다", "물길이 흐르고", "산은 높다", "산이 높고")
    of_words, of_pieces = (
        gaps(describe_items(frame, Features(text=["body"]), 0, models)) for models in ((), ["text_pieces"])
    )
    assert of_pieces[0, 1] < of_pieces[0, 2]
    assert not of_words.any()
