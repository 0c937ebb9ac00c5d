"""What people answered about several classes or labels, one answer for each item; and what the log says of them.

What belongs here: settling disagreement, and what must be said about labels. What does not: reading answers
(`data/labels.py`).
"""

import pandas as pd

from include.learning.calibration.selection import N_FOLDS
from include.learning.data import labels
from include.learning.data.columns import IS_RANDOM, LABELS
from include.learning.errors import BadLabels
from include.learning.several.targets import Targets, read_targets, split_labels
from include.names import ROW_KEY, Arm
from include.problems.answer_text import is_answer, read_labels
from include.problems.sections.learning import Label


def settle_answers(answers: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Give each item what most people said of it, unless those who are more often right are sure of something else.

    Of labels each is settled for itself, as named or not. Where neither heads nor quality decide, of one label even,
    nothing is settled: the item teaches nothing and is left out.

    Args:
        answers: columns item_id, label, arm, labelled_by; one row for each item and person.

    Returns:
        columns item_id, _labels (a class, or a list of labels), _is_random; in the order of the items.

    Raises:
        BadLabels: an answer is not among the problem's classes.
    """
    bad = answers[~answers["label"].map(lambda text: is_answer(str(text), label)).astype(bool)]
    if len(bad):
        first = bad.iloc[0]
        raise BadLabels(
            f"{len(bad)} of {len(answers)} labels are not among the classes {label.classes} (first: item "
            f"{first['item_id']!r} is {first['label']!r}). Correct the label, or add the class to the problem file."
        )
    named = [read_labels(str(text), label) for text in answers["label"]]
    said = _settle_labels(answers, named, label) if label.multiple else _settle_class(answers, named, label)
    is_random = (answers["arm"] == Arm.RANDOM).groupby(answers["item_id"]).all()
    settled = [{"item_id": item, LABELS: said[item], IS_RANDOM: bool(is_random[item])} for item in sorted(said)]
    return pd.DataFrame(settled, columns=["item_id", LABELS, IS_RANDOM])


def _settle_class(answers: pd.DataFrame, named: list[tuple[str, ...]], label: Label) -> dict[str, str]:
    """Say which class each item is of; items that nothing decides are left out."""
    places = labels.settle_by_people(answers, [names[0] for names in named], label.classes)
    return {item: label.classes[place] for item, place in places.items() if place >= 0}


def _settle_labels(answers: pd.DataFrame, named: list[tuple[str, ...]], label: Label) -> dict[str, list[str]]:
    """Say which labels each item has; items of which one label is undecided are left out."""
    of_label = {
        name: labels.settle_by_people(answers, [str(name in names) for names in named], labels.SIDES)
        for name in label.classes
    }
    items = set(answers["item_id"])
    decided = [item for item in items if all(places[item] >= 0 for places in of_label.values())]
    return {item: [name for name in label.classes if of_label[name][item] == 1] for item in decided}


def say_undecided(answers: pd.DataFrame, settled: pd.DataFrame) -> str:
    """Say how many items people do not agree about; they teach nothing, and hold nothing up."""
    return labels.say_undecided(answers, settled, "have no majority")


def keep_known_classes(rows: pd.DataFrame, label: Label) -> tuple[pd.DataFrame, Targets, str]:
    """Leave out rows whose label is not among the classes; they teach nothing, and are counted.

    Args:
        rows: with `_labels`.

    Returns:
        the rows that stay, their targets, and a sentence about the others (empty where there are none).

    Raises:
        BadLabels: no row stays.
    """
    targets, is_usable = read_targets(rows[LABELS], label.classes, is_multiple=label.multiple)
    if is_usable.all():
        return rows.reset_index(drop=True), targets, ""
    strangers = rows[~is_usable]
    first = split_labels(strangers[LABELS].iloc[:1], is_multiple=label.multiple)[0]
    outside = next((name for name in first if name not in label.classes), "")
    sentence = (
        f"{len(strangers):,} of {len(rows):,} labels are not among the classes {label.classes} (first: row "
        f"{strangers[ROW_KEY].iloc[0]!r} is {outside!r}) and teach nothing. Add the class to label.classes, or mend "
        "label.value."
    )
    if not is_usable.any():
        raise BadLabels(sentence)
    return rows[is_usable].reset_index(drop=True), targets.where(is_usable), sentence


def say_unseen(targets: Targets) -> str:
    """Name the classes that no row has; empty where each has one."""
    unseen = [name for name, n in zip(targets.classes, targets.flags.sum(axis=0), strict=True) if n == 0]
    if not unseen:
        return ""
    return (
        f"{', '.join(map(repr, unseen))} of label.classes has 0 of {len(targets.flags):,} labels; a model can only "
        "give it the share of one row. Label more items, or mend label.classes."
    )


def say_ready(answers: pd.DataFrame, label: Label) -> tuple[int, int, str]:
    """Count what people have settled, and of how many classes enough items were chosen by chance to measure on.

    Args:
        answers: columns item_id, label, arm.

    Returns:
        items settled; classes (of several labels: labels, with and without) that have as many measured items as there
        are folds; and both in a sentence.
    """
    settled = settle_answers(answers, label)
    targets, _ = read_targets(settled[LABELS], label.classes, is_multiple=label.multiple)
    flags = targets.flags[settled[IS_RANDOM].to_numpy(dtype=bool)]
    n_of = flags.sum(axis=0)
    is_ready = (n_of >= N_FOLDS) & ((len(flags) - n_of >= N_FOLDS) if label.multiple else True)
    counts = ", ".join(f"{name} {int(n)}" for name, n in zip(label.classes, n_of, strict=True))
    sentence = (
        f"chosen by chance were {counts}; {N_FOLDS} of {'a label' if label.multiple else 'each of two classes'} are "
        "needed to measure a model"
    )
    return len(settled), int(is_ready.sum()), " ".join(filter(None, [sentence + ".", say_undecided(answers, settled)]))
