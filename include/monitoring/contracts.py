"""What the steps of monitoring hand to the DAGs that announce alerts and tell of them.

What does not belong here: measuring (`steps.py`). The standard library and the hall alone: DAG files import this all
day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.handover import XCom, read_field, read_texts

SHOWN_MESSAGES = 10
MAIL, WEBHOOK = "mail", "webhook"


@dataclass(frozen=True)
class MeasuredPartitions:
    """What was measured, and how much of it people will hear of.

    Attributes:
        partitions: that were measured, oldest first.
        n_rows: in them.
        n_alerts: findings that `raise_alerts` will raise.
    """

    partitions: tuple[str, ...]
    n_rows: int
    n_alerts: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"partitions": list(self.partitions), "n_rows": self.n_rows, "n_alerts": self.n_alerts}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "MeasuredPartitions":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        n_rows, n_alerts = read_field(handed, "n_rows", int), read_field(handed, "n_alerts", int)
        return cls(read_texts(handed, "partitions"), n_rows, n_alerts)


@dataclass(frozen=True)
class RaisedAlerts:
    """The alerts that stand now.

    Attributes:
        n_alerts: of the partition; of all partitions for a round.
        n_new: of the whole problem, that were not there before.
        messages: the first few of the `n_alerts`.
        asked: partitions whose alert asks for a training that nobody has planned yet.
    """

    n_alerts: int
    n_new: int
    messages: tuple[str, ...]
    asked: tuple[str, ...] = ()

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        counts = {"n_alerts": self.n_alerts, "n_new": self.n_new, "n_rows": self.n_alerts}
        return {**counts, "messages": list(self.messages), "asked": list(self.asked)}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "RaisedAlerts":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        n_alerts, n_new = read_field(handed, "n_alerts", int), read_field(handed, "n_new", int)
        return cls(n_alerts, n_new, read_texts(handed, "messages"), read_texts(handed, "asked"))


@dataclass(frozen=True)
class Message:
    """One message, by one channel, about one thing that happened to an alert.

    Attributes:
        channel: mail or webhook.
        addresses: of a mail.
        connection: Airflow connection of a webhook; empty for mail, whose server Airflow's own setting names.
        key: the same whenever this message is sent again, so that who gets it twice can tell.
        subject: one line without control characters, at most 150.
        text: lines of at most 78 cells, but for the link.
        facts: for a program: problem, alert_id, event, event_number, partition_key, link.
    """

    channel: str
    addresses: tuple[str, ...]
    connection: str
    key: str
    subject: str
    text: str
    facts: Mapping[str, str | int]
