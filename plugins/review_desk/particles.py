"""Korean particles, whose form hangs on the last syllable of the word before them.

A text writes both forms, `“{label}”(으로/로)`; the word that is put in chooses. `static/language.js` does the same in
the browser.
"""

import re

# Both forms, the one after a final consonant first.
PAIRS = ("이/가", "은/는", "을/를", "과/와", "으로/로")
# The last letter or digit before it; marks and brackets are not read aloud.
_PARTICLE = re.compile(rf"(\w)(\W*)\(({'|'.join(PAIRS)})\)")
_RIEUL = 8  # index of the final consonant ㄹ, after which 로 stays as it is
_FIRST_SYLLABLE, _LAST_SYLLABLE, _N_FINALS = 0xAC00, 0xD7A3, 28
# How digits are read: 영 일 이 삼 사 오 육 칠 팔 구. And how an English word mostly ends when it is read in Korean.
_FINALS = {"0": 21, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL, "l": _RIEUL, "m": 16, "n": 4}


def place_particles(text: str) -> str:
    """Choose the form of every particle; where no word stands before one, both forms stay."""
    return _PARTICLE.sub(lambda found: f"{found[1]}{found[2]}{_choose(found[1], found[3])}", text)


def _choose(letter: str, pair: str) -> str:
    with_final, without = pair.split("/")
    final = _final_of(letter)
    is_open = final == 0 or (final == _RIEUL and pair == "으로/로")
    return without if is_open else with_final


def _final_of(letter: str) -> int:
    """Number the final consonant that a letter is read with; 0 for none."""
    if _FIRST_SYLLABLE <= ord(letter) <= _LAST_SYLLABLE:
        return (ord(letter) - _FIRST_SYLLABLE) % _N_FINALS
    return _FINALS.get(letter.lower(), 0)
