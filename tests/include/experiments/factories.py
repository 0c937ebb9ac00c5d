"""Valid rows and designs, to change one thing at a time."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from include.experiments.design import Design, Rules
from include.experiments.off_policy_replay import VariantSum
from include.experiments.sending import Price

START = datetime(2004, 11, 1, tzinfo=UTC)


def make_design(**changes: Any) -> Design:
    design = Design(
        unit="person_id",
        event="event",
        variant="variant",
        event_time="event_at",
        exposure="invited",
        reward="came",
        variants=["none", "large"],
        pilot_end=START + timedelta(days=4),
        trial_end=START + timedelta(days=4),
        attribution_window=timedelta(days=2),
        salt="s",
        holdback_share=0.0,
        propensity=None,
        shares={"none": 0.5, "large": 0.5},
    )
    return dataclasses.replace(design, **changes)


def make_rules(**changes: Any) -> Rules:
    rules = Rules(
        variants=["none", "large"],
        control="none",
        expected_shares={"none": 0.5, "large": 0.5},
        sample_ratio_alpha=0.001,
        claim_level=0.95,
        price=Price(),
        minimum_units=10,
        minimum_rewards=10,
        exclusion_limit=0.01,
        holdback_share=0.3,
    )
    return dataclasses.replace(rules, **changes)


def invited(unit: str | None, hours: float, variant: str | None = "none") -> dict[str, Any]:
    return {"person_id": unit, "event": "invited", "variant": variant, "event_at": START + timedelta(hours=hours)}


def came(unit: str | None, hours: float) -> dict[str, Any]:
    return {"person_id": unit, "event": "came", "variant": None, "event_at": START + timedelta(hours=hours)}


def make_events(*rows: dict[str, Any]) -> pa.Table:
    fields = {"person_id": pa.string(), "event": pa.string(), "variant": pa.string()}
    return pa.Table.from_pylist(list(rows), schema=pa.schema({**fields, "event_at": pa.timestamp("us", tz="UTC")}))


def make_sum(
    phase: str = "pilot", variant: str = "none", n: int = 100, rewarded: int = 30, **changes: Any
) -> VariantSum:
    return dataclasses.replace(VariantSum(phase, variant, n, n, rewarded, 0), **changes)
