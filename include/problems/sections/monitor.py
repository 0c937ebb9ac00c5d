"""What is watched, and from where on it is an alert."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from include.problems.sections.base import (
    CONNECTION,
    MAIL_ADDRESS,
    BadField,
    Count,
    Name,
    Number,
    Period,
    Section,
    Share,
    require_different,
)


class Recipient(Section):
    """Whom a message goes to: by mail, by webhook, or both."""

    mail: list[Annotated[str, Field(pattern=MAIL_ADDRESS, max_length=254)]] = Field(
        default=[], description="addresses; one message to all of them, by the server of Airflow's mail connection"
    )
    webhook: Annotated[str, Field(pattern=CONNECTION, max_length=200)] | None = Field(
        default=None, description="name of the Airflow connection that holds the address, and what is secret of it"
    )

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not self.mail and self.webhook is None:
            raise BadField("mail", "names nobody; write mail: [name@example.org], webhook: CONNECTION, or both")
        require_different(self.mail, "mail")
        return self


class Tell(Section):
    """Who hears of an alert that is opened, escalated or closed."""

    owner: Recipient = Field(description="hears of each alert that is opened, and of its end")
    on_call: Recipient | None = Field(
        default=None, description="hears of what is escalated, and of its end; the owner does where nobody is named"
    )
    language: Literal["en", "ko", "both"] = Field(default="en", description="of the messages; both is Korean first")


class Monitor(Section):
    """What is watched, against what, and from where on it is an alert."""

    features: list[Name] = Field(min_length=1)
    reference_partitions: Count = Field(ge=1, description="the first so many published partitions are the reference")
    psi_alert: Number = Field(default=0.2, gt=0)
    unseen_alert: Number = Field(
        default=0.05, gt=0, le=1, description="share of values that the reference never had, or outside its range"
    )
    ece_alert: Number = Field(default=0.05, gt=0)
    relative_error_alert: Number = Field(
        default=0.5, gt=0, description="calibration error for each share of 1 that is positive: rare events count too"
    )
    coverage_alert: Share = Field(
        default=0.05, description="how far the share of a quantity within its interval may be from the stated one"
    )
    minimum_rows: Count = Field(default=100, ge=1)
    action: Literal["warn", "escalate", "retrain"] = Field(
        default="warn",
        description="escalate: an alert goes past the owner, to whoever is on call, when it is opened; "
        "retrain: it asks for a training, where the log gives the labels",
    )
    retrain_every: Period = Field(
        default=timedelta(days=1), description="alerts ask for one training at most within so long (action: retrain)"
    )
    escalate_after: Period | None = Field(
        default=None, description="an alert that nobody closed or put off goes to whoever is on call after so long"
    )
    arrives_within: Period | None = Field(
        default=None,
        description="so long after its end a partition has landed, or an alert (late) says which did not; "
        "asked of every partition since `land` first ran, weekends and holidays too",
    )
    tell: Tell | None = Field(default=None, description="who hears of alerts; without it they stand on the pages alone")

    @property
    def is_retraining(self) -> bool:
        """Say whether alerts ask for trainings."""
        return self.action == "retrain"

    @property
    def needs_clock(self) -> bool:
        """Say whether something must be looked at though no partition lands."""
        # A message that its server did not take, and a request that Airflow lost, go out again though nothing lands.
        asked_of_the_clock = (self.escalate_after, self.arrives_within, self.tell)
        return self.is_retraining or any(asked is not None for asked in asked_of_the_clock)

    @model_validator(mode="after")
    def _only_what_asks_for_trainings_says_how_often(self) -> Self:
        if "retrain_every" in self.model_fields_set and not self.is_retraining:
            raise BadField("retrain_every", "nothing asks for a training; write action: retrain, or remove it")
        return self
