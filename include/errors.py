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


class NothingThere(MulgilError):
    """A run was asked about what does not exist: trying again changes nothing, and no partition is held up by it."""


class UnknownPartitionKey(NothingThere):
    """A partition key is not how keys of its problem's grain are written, or a run names none."""


class NotInLake(NothingThere):
    """A table or a partition that nothing was published to."""


class UnknownVersion(NothingThere):
    """A model version that was never fitted."""


class UnknownBatch(NothingThere):
    """A batch that was never opened."""


class SnapshotExpired(MulgilError):
    """A lake table no longer has the snapshot that was asked for; trying again changes nothing."""


class StagedFileGone(MulgilError):
    """A staged file is no longer in the lake; staging the partition again makes it anew."""


class RowsOutsidePartition(MulgilError):
    """Rows to be written belong to another partition, or have a column that no lake table can hold."""


class BadHandover(MulgilError):
    """What one step left for another is not what this version of the steps hands over."""


class BadForm(MulgilError):
    """A run was started with a field that its form does not have."""


class CountsDoNotAddUp(MulgilError):
    """Rows in differ from published + quarantined + duplicates: a row would be lost or doubled."""


class LakeDamaged(MulgilError):
    """Files of the lake are gone or cut short, and nothing older is whole; the message says what to bring back."""


class DiskFull(MulgilError):
    """A disk has no room; what a step writes is there whole or not at all, and running again is safe."""


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


class NoLabelMatches(MulgilError):
    """No row of a label log names a row that it could be about."""


class NotErased(MulgilError):
    """Something of an erased subject was found afterwards."""


class NotEnoughLabels(MulgilError):
    """A model was asked for before there were labels to learn from."""


class BadProbabilities(MulgilError):
    """Rows that should be probabilities are not."""


class BadCounts(MulgilError):
    """An interval or a measure was asked of counts that are no share, or of no rows."""


class TamperedModel(MulgilError):
    """A stored model's bytes or types are not the registered ones; it is never loaded."""


class BadExperiment(MulgilError):
    """An experiment's shares, units or rewards contradict each other."""


class StaleAnswer(MulgilError):
    """A person answered about a record that has changed since, or somebody else answered; nothing is decided by it."""


class BadAllocation(MulgilError):
    """A published allocation is not the signed one, is of the past, or contradicts itself; it is never served."""


class BadReference(MulgilError):
    """A drift reference cannot carry the comparison asked of it."""


class CannotRollBack(MulgilError):
    """There is no version to return to, or it serves already."""


class AlertRefused(MulgilError):
    """Somebody asked something of an alert that is not done; the page says why in the person's language.

    Attributes:
        code: names the reason.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(code, message)

    def __str__(self) -> str:
        return self.message


class DeskRefused(MulgilError):
    """The Review desk does not do what somebody asked; the page says why in the person's language.

    Attributes:
        code: one of `include.review.desk.refusals.Refusal`.
        values: what the sentence names.
    """

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(code)  # what it is made of again in another process; its values travel beside

    def __str__(self) -> str:
        named = ", ".join(f"{name} {value!r}" for name, value in self.values.items())
        return f"The desk refused it: {self.code.replace('_', ' ')}{f' ({named})' if named else ''}."
