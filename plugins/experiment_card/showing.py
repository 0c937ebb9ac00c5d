"""Puts together what the templates show of an experiment: facts, sentences and pictures.

What belongs here: rows and a problem in, a template's values out. What does not: rules of arranging (`cards.py`).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from experiment_card import cards, pictures
from experiment_card.cards import Row
from experiment_card.densities import read_known
from experiment_card.numbers import write_sized
from experiment_card.texts import say
from include.problems.schema import Problem


def summarise(problem: Problem, name: str, results: Sequence[Row], ranges: Sequence[Row], units: Sequence[Row]) -> Row:
    """Say of one experiment what the list shows: state, traffic, units, what decides, what is sent and since when."""
    experiment = problem.named_experiments.get(name)
    result = next((row for row in results if row["experiment"] == name), None)
    windows = cards.group_windows(row for row in ranges if row["experiment"] == name)
    state = cards.find_state(result, is_in_file=experiment is not None)
    phase, wave = cards.split_phase(windows[-1]["phase"] if windows else None)
    by_phase = [row for row in units if row["experiment"] == name]
    variants = result["variants"] if result else []
    since, is_older = cards.find_since(windows)
    return {
        "problem": problem,
        "name": name,
        "result": result,
        "definition": experiment,
        "state": state,
        "lead": cards.find_lead(result, state, approver=experiment.approver if experiment else None),
        "control": cards.find_control(variants, experiment),
        "traffic": cards.describe_traffic(experiment),
        "windows": windows,
        "sent": windows[-1]["shares"] if windows and state != cards.REMOVED else {},
        "since": since,
        "is_since_older": is_older,
        "phase": phase,
        "wave": wave,
        "n_units": sum(row["n_units"] for row in by_phase),
        "by_phase": by_phase,
    }


def arrange(
    problem: Problem, name: str, results: Sequence[Row], own: Mapping[str, Sequence[Row]], language: str
) -> Row:
    """Give the template of one experiment everything it shows.

    Args:
        results: of all experiments of the problem.
        own: rows by part: ranges, units, lifts, decisions and plans.
        language: that pictures are named in.
    """
    card = summarise(problem, name, results, own["ranges"], own["units"])
    result, experiment, windows = card["result"], card["definition"], card["windows"]
    parts = {part: result[part] if result else [] for part in ("variants", "metrics", "checks", "exclusions")}
    variants = [row["variant"] for row in parts["variants"]]
    plans = list(own["plans"])
    is_rate = not any(row["role"] == "primary" for row in parts["metrics"])
    newest = own["decisions"][0] if own["decisions"] else None
    known = read_known(newest["posterior"], is_rate=is_rate) if newest else {}
    return (
        card
        | parts
        | {
            "told": cards.tell_lifts(parts["variants"], parts["metrics"]),
            "reward": experiment.reward if experiment else _reward_of(plans),
            "known": known,
            "scale": 100.0 if is_rate else 1.0,
            "is_rate": is_rate,
            "density_svg": pictures.draw_densities(known, say(language, "density", {}), 100.0 if is_rate else 1.0),
            "shares_svg": draw_shares(windows, variants, language),
            "colours": {variant: pictures.place_of(variant, variants) for variant in variants},
            "lift_pictures": draw_lifts(own["lifts"], language),
            "lifts": own["lifts"],
            "plans": plans,
            "changes": [
                (new["version"], cards.changes_between(old["plan"], new["plan"])) for new, old in pairwise(plans)
            ],
            "turns": cards.only_turns(own["decisions"]),
            "money": cards.tell_money(experiment, parts["variants"]),
        }
    )


def _reward_of(plans: Sequence[Row]) -> str:
    """Name what counted as a reward in an experiment that left the file, by the newest version of its plan."""
    return str(plans[0]["plan"].get("reward", "")) if plans else ""


def draw_shares(windows: Sequence[Row], variants: Sequence[str], language: str) -> str:
    """Draw who was sent what, window by window; empty where there is no window."""
    if not windows:
        return ""
    shown = {"first": windows[0]["partition_key"], "last": windows[-1]["partition_key"]}
    return pictures.draw_shares(windows, variants, say(language, "shares.picture", shown))


def draw_lifts(lifts: Sequence[Row], language: str) -> list[tuple[str, str]]:
    """Draw each variant's lift window by window, all on one scale; windows without a band are left out."""
    drawn = [row for row in lifts if None not in (row["lift_ratio"], row["low_any_look"], row["high_any_look"])]
    if not drawn:
        return []
    edges = (min(row["low_any_look"] for row in drawn), max(row["high_any_look"] for row in drawn))
    found = []
    for variant in dict.fromkeys(row["variant"] for row in drawn):
        rows = [row for row in drawn if row["variant"] == variant]
        title = say(language, "lifts.picture", {"variant": variant, "n": len(rows)})
        found.append((variant, pictures.draw_lift(rows, edges, title)))
    return found


def write_end(number: float, language: str) -> str:
    """Write an end of a band in words: 5 more, 1 fewer."""
    return say(language, "end.fewer" if number < 0 else "end.more", {"n": write_sized(abs(number))})
