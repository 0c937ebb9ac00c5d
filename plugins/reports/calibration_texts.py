"""Every word of the calibration picture, in English and Korean.

What does not belong here: which language a person reads (`pages/languages.py`).
"""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "other_language": "한국어",
        "heading": "Does what the model says happen?",
        "title": "What the model said against what happened, with the band of a faultless model",
        "said": "the model said, of 100",
        "happened": "it happened, of 100",
        "point": "Said {said} of 100, happens {happened} of 100; of a faultless model {low} to {high}",
        "how_to_read": "The curve says how often it happens where the model says so much. The band is where 90 of 100 "
        "curves of a faultless model lie: outside it the model is off, inside it that may be chance.",
        "parts": "Brier score {score} = {miscalibration} of being off - {discrimination} of knowing which rows "
        "+ {uncertainty} of not knowing.",
        "numbers": "The curve in numbers",
        "bins": "Ten equal ranges of what was said, of the whole month",
        "said_column": "said, of 100",
        "happened_column": "happens, of 100",
        "band_column": "faultless",
        "between_column": "between",
        "rows_column": "rows",
        "to": "to",
    },
    "ko": {
        "other_language": "English",
        "heading": "모델이 말한 만큼 실제로 일어나나요?",
        "title": "모델이 말한 확률과 실제로 일어난 비율, 오차 없는 모델의 범위",
        "said": "모델이 말한 확률(100건당)",
        "happened": "실제로 일어난 비율(100건당)",
        "point": "100건당 {said}건이라고 말함, 실제 {happened}건, 오차 없는 모델이라면 {low}~{high}건",
        "how_to_read": "곡선은 모델이 말한 확률마다 실제로 얼마나 일어나는지를 보여 줍니다. 띠는 오차 없는 모델의 "
        "곡선 100개 중 90개가 놓이는 범위입니다. 곡선이 띠를 벗어나면 확률이 어긋난 것이고, "
        "띠 안이면 우연일 수 있습니다.",
        "parts": "브라이어 점수 {score} = 어긋남 {miscalibration} - 구별력 {discrimination} + 불확실성 {uncertainty}",
        "numbers": "곡선의 수치",
        "bins": "말한 확률을 열 구간으로 나눈 표(한 달 전체)",
        "said_column": "말한 확률(100건당)",
        "happened_column": "실제(100건당)",
        "band_column": "오차 없는 모델",
        "between_column": "구간",
        "rows_column": "행 수",
        "to": "~",
    },
}
