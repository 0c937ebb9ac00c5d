"""Which of the languages of our pages a person reads.

What does not belong here: the words themselves, which stand beside each page.
"""

from fastapi import Request

LANGUAGES = ("en", "ko")


def find_language(request: Request) -> str:
    """Find the language that a person reads: what the address asks for, or what the browser likes best."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else choose_language(request.headers.get("accept-language"))


def choose_language(accepted: str | None) -> str:
    """Choose the language that a browser likes best among those there are; English where it likes none of them.

    Args:
        accepted: the header Accept-Language, such as `ko-KR,ko;q=0.9,en;q=0.5`.
    """
    best, liking = LANGUAGES[0], 0.0
    for part in (accepted or "").split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        quality = _number(weight.strip().removeprefix("q=")) if weight else 1.0
        if language in LANGUAGES and quality > liking:
            best, liking = language, quality
    return best


def _number(text: str) -> float:
    """Read a weight; what is none weighs nothing."""
    try:
        return float(text)
    except ValueError:
        return 0.0
