"""What the step of a problem's experiments hands to the DAG that announces its windows.

What does not belong here: doing them (`steps.py`). The standard library and the hall alone: DAG files import this all
day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.handover import XCom, read_field, read_optional_text, read_texts


@dataclass(frozen=True)
class ExperimentState:
    """What an experiment's newest window came to.

    Attributes:
        outcome: wait, blocked, send or keep_control.
        variant: what the rest gets; none while nothing is decided.
    """

    outcome: str
    variant: str | None


@dataclass(frozen=True)
class UpdatedExperiments:
    """A problem's experiments that were brought up to date.

    Attributes:
        windows: that were done now, of any of them, oldest first.
        experiments: state of each, by name.
        n_units: counted in the newest of the windows done now of each; 0 where none was.
    """

    windows: tuple[str, ...]
    experiments: Mapping[str, ExperimentState]
    n_units: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        states = {name: {"outcome": one.outcome, "variant": one.variant} for name, one in self.experiments.items()}
        return {"experiments": states, "windows": list(self.windows), "n_rows": self.n_units}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "UpdatedExperiments":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        states = {
            str(name): ExperimentState(read_field(one, "outcome", str), read_optional_text(one, "variant"))
            for name, one in read_field(handed, "experiments", dict).items()
        }
        return cls(tuple(read_texts(handed, "windows")), states, read_field(handed, "n_rows", int))
