"""Where the true labels of a problem are recorded, for the few whose truth somebody knows already."""

from pathlib import Path

from include.settings import Settings


def truth_path(settings: Settings, problem: str) -> Path:
    """Say where a problem's recorded truth lies, if it has any."""
    return settings.problems_dir / "data" / problem / "truth.parquet"
