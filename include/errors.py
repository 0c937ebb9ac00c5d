"""The one tree of errors that people meet.

A message says how many of how many, the worst one, what was allowed, and what to do. What does not belong here:
errors of libraries, which pass through untouched when Mulgil has nothing to add.
"""


class MulgilError(Exception):
    """Anything that Mulgil refuses, with a sentence for the person who meets it."""


class BadSettings(MulgilError):
    """The environment names something that cannot be used."""


class BadProblem(MulgilError):
    """A problem file breaks a rule; the message names file, field and remedy."""


class BadLanding(MulgilError):
    """An object in landing cannot be read, or landing itself cannot be reached."""


class BadPartition(MulgilError):
    """A partition key does not fit its problem's grain, or names nothing."""


class BadForm(MulgilError):
    """A run was started with a field that its form does not have."""


class CountsDoNotAddUp(MulgilError):
    """Rows in differ from published + quarantined + duplicates: a row would be lost or doubled."""


class LakeConflict(MulgilError):
    """Another writer changed the same partition first; running again is safe."""


class PartitionRefused(MulgilError):
    """A partition met a `stop` expectation it does not fulfil; the verdict is stored, a re-run is useless."""


class AuditFailed(MulgilError):
    """Great Expectations could not answer; a partition that was not audited is not published."""


class WarehouseAway(MulgilError):
    """The warehouse does not answer; nothing is half-written, and running again is safe."""


class BadSubject(MulgilError):
    """Whoever is to be erased was not named by a token."""


class NotErased(MulgilError):
    """Something of an erased subject was found afterwards."""


class NotEnoughLabels(MulgilError):
    """A model was asked for before there were labels to learn from."""


class BadProbabilities(MulgilError):
    """Rows that should be probabilities are not."""


class TamperedModel(MulgilError):
    """A stored model's bytes or types are not the registered ones; it is never loaded."""


class BadExperiment(MulgilError):
    """An experiment's shares, units or rewards contradict each other."""


class BadReference(MulgilError):
    """A drift reference cannot carry the comparison asked of it."""


class CannotRollBack(MulgilError):
    """There is no version to return to, or it serves already."""


class DeskRefused(MulgilError):
    """The Review desk does not do what somebody asked; the page says why in the person's language.

    Attributes:
        code: one of `include.review.refusals.Refusal`.
        values: what the sentence names.
    """

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        named = ", ".join(f"{name} {value!r}" for name, value in values.items())
        super().__init__(f"The desk refused it: {code.replace('_', ' ')}{f' ({named})' if named else ''}.")
