from include.errors import MulgilError
from include.serving.refusals import RequestRefused


def test_a_refusal_is_a_sentence_with_a_status_and_a_code():
    refusal = RequestRefused(429, "TOO_MANY_REQUESTS", "Too often.", retry_after_s=2.0)
    assert isinstance(refusal, MulgilError)
    assert (str(refusal), refusal.status, refusal.code, refusal.retry_after_s) == (
        "Too often.",
        429,
        "TOO_MANY_REQUESTS",
        2.0,
    )
    assert RequestRefused(404, "FLAG_NOT_FOUND", "None.").retry_after_s is None
