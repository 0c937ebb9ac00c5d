"""The words of alerts, in English and Korean: causes on the page and in messages, and the lines of a message.

What does not belong here: which of them a message has (`alert_messages.py`), the other words of the page.
"""

CAUSES: dict[str, dict[str, str]] = {
    "en": {
        "drift": "Columns of the log have moved",
        "output_drift": "What the model says has moved",
        "calibration": "Probabilities are off",
        "coverage": "Intervals hold too few rows, or too many",
        "first_model": "The first model serves although it is off",
        "late": "Partitions have not arrived",
    },
    "ko": {
        "drift": "입력 항목의 분포가 달라졌습니다",
        "output_drift": "모델이 내놓는 값의 분포가 달라졌습니다",
        "calibration": "예측 확률이 실제와 다릅니다",
        "coverage": "예측 구간이 실제 값을 너무 적게 또는 너무 많이 포함합니다",
        "first_model": "첫 모델이 오차가 있는 채로 운영되고 있습니다",
        "late": "도착하지 않은 파티션이 있습니다",
    },
}

LINES: dict[str, dict[str, str]] = {
    "en": {
        "opened": "alert",
        "escalated": "escalated alert",
        "closed": "alert closed",
        "problem": "Problem",
        "partition": "Partition",
        "what": "What is wrong",
        "was": "What it was",
        "concerned": "Concerned",
        "of_watched": "{n} of {n_watched}",
        "worst": "The worst",
        "worst_seen": "{subject}: {metric} {value}, allowed {bound}",
        "why": "Why you hear of it",
        "ended": "Why it ended",
        "by_person": "{actor}: {reason}",
        "do": "What to do",
        "do_opened": "Find the reason where the data come from; what is mended closes by itself. Snooze it on the page "
        "while somebody works on it, or close it there with a reason where nothing is to be mended.",
        "do_escalated": "You are on call for it. Snooze it on the page, so that others see that somebody works on it; "
        "close it there with a reason where nothing is to be mended.",
        "do_closed": "Nothing. A later partition that shows the same cause opens it again.",
        "page": "Page",
    },
    "ko": {
        "opened": "알림",
        "escalated": "당직 전달",
        "closed": "알림 닫힘",
        "problem": "문제",
        "partition": "파티션",
        "what": "내용",
        "was": "알림 내용",
        "concerned": "해당 항목",
        "of_watched": "감시 대상 {n_watched}개 중 {n}개",
        "worst": "가장 심한 항목",
        "worst_seen": "{subject}: {metric} {value} (허용값 {bound})",
        "why": "알리는 이유",
        "ended": "닫힌 이유",
        "by_person": "{actor}: {reason}",
        "do": "조치",
        "do_opened": "데이터가 들어오는 곳에서 원인을 찾아 주세요. 원인이 해결되면 알림은 저절로 닫힙니다. "
        "처리하는 동안에는 페이지에서 보류하고, 고칠 것이 없으면 사유를 적고 닫아 주세요.",
        "do_escalated": "당직자의 확인이 필요합니다. 처리 중임을 알 수 있도록 페이지에서 보류하거나, "
        "고칠 것이 없으면 사유를 적고 닫아 주세요.",
        "do_closed": "조치가 필요 없습니다. 이후 파티션에서 같은 원인이 나타나면 다시 열립니다.",
        "page": "페이지",
    },
}


def name_cause(language: str, alert_id: str) -> str:
    """Name a cause as people read it; of a class with its name, of what the desk raises as the desk names it."""
    cause, _, class_name = alert_id.partition(":")
    text = CAUSES[language].get(cause, cause.replace("_", " "))
    return f"{text}: {class_name}" if class_name else text
