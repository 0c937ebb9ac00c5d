"""Writes lists as a mailer reads them: JSON lines, one for each unit, whose id stands there as its log wrote it.

JSON and not CSV: an id may hold a comma, a line's end or what a spreadsheet takes for a formula, and none of it may be
changed, for the mailer has to find its person by it.

What does not belong here: who is listed (`choosing.py`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from include.engine.object_folder import ObjectFolder
from include.names import OUTBOX_FOLDER, flag_key
from include.settings import Settings


def open_outbox(settings: Settings) -> ObjectFolder:
    """Open the folder that mailers read, beside the lake's tables."""
    return ObjectFolder(f"{settings.lake_url.rstrip('/')}/{OUTBOX_FOLDER}", settings.s3_endpoint)


def encode_list(rows: Sequence[Mapping[str, object]], raw_ids: Mapping[str, str]) -> bytes:
    """Write units as JSON lines, in ASCII, so that nothing inside of an id ends a line.

    Args:
        rows: of `core.send_list`.
        raw_ids: of their units; one that has none any more, for it was erased or withdrawn, is left out.

    Returns:
        the same bytes for the same rows.
    """
    lines = []
    for row in rows:
        raw = raw_ids.get(str(row["unit"]))
        if raw is None:
            continue
        chosen_at = row["chosen_at_utc"]
        line = {
            "experiment": flag_key(str(row["problem"]), str(row["experiment"])),
            "unit": raw,
            "variant": row["variant"],
            "phase": row["phase"],
            "plan": row["plan_version"],
            "window": row["window_key"],
            "audience": row["partition_key"],
            "batch": row["batch"],
            "chosen_at": chosen_at.isoformat() if isinstance(chosen_at, datetime) else None,
        }
        lines.append(json.dumps(line, ensure_ascii=True) + "\n")
    return "".join(lines).encode("ascii")
