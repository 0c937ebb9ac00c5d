"""What is published for programs that ask while somebody waits: one function per Airflow task."""

import time

from include.names import Stage
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, step


@step(Stage.EXPERIMENT)
def publish_allocation(
    *,
    problem: str,
    partition_key: str = "",  # noqa: ARG001 - the step's own lock and record are for it
    run_id: str = "by-hand",  # noqa: ARG001 - stands in the record
) -> Outcome:
    """Publish which units get which variant: a signed file that programs and the decision service read.

    It says what the newest window of `core.allocation` says, whichever partition woke the step; where that is what is
    published, the file stays as it is, to the byte. Where no window is left, what was published is taken back: the file
    then gives no place to anybody.

    Args:
        problem: name of the problem.
        partition_key: the data partition that was published.
        run_id: Airflow run.

    Returns:
        `n_rows`, the ranges in the file; `revision`, and `is_new`; or a `reason` where nothing is published.

    Raises:
        BadAllocation: the shares contradict each other, or a later revision is published.
        BadSettings: MULGIL_SIGNING_KEY is too short to be a secret.
        OSError: the disk or the store does not take the file.
    """
    from include.serving import allocation_file, shares, store
    from include.serving.signing import make_signer, write_public_key
    from include.warehouse.locks import lock_until_commit

    settings = read_settings()
    if not settings.signing_key:
        return {"n_rows": 0, "reason": "MULGIL_SIGNING_KEY is not set: no allocation is published"}
    key = make_signer(settings.signing_key)
    definition = load_problem(problem)
    folder, name = store.open_published(settings), store.published_key(problem)
    # Two runs that read and write in turn could publish the older shares under the later number.
    with open_warehouse().begin() as connection:
        lock_until_commit(connection, "allocation", problem)
        experiments = shares.list_experiments(definition, store.read_shares_in_force(connection, problem))
        before = folder.read(name)
        experiments = experiments or allocation_file.take_back(problem, before, key.public_key())
        if not experiments:
            return {"n_rows": 0, "reason": "no window has shares yet"}
        content = allocation_file.encode_allocation(
            problem, experiments, key=key, revision=time.time_ns() // 1_000_000, before=before
        )
        if content != before:
            folder.write(name, content)
    allocation = allocation_file.decode_allocation(problem, content, key.public_key())
    return {
        "n_rows": sum(len(one["ranges"]) for one in experiments.values()),
        "revision": allocation["revision"],
        "is_new": content != before,
        "public_key": write_public_key(key.public_key()),
    }
