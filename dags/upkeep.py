"""# Upkeep

Keep the lake small and quick: compact a partition's small files, expire old snapshots, remove orphan files.

Snapshots are kept for a week (`upkeep.snapshots` in the problem file), those that a model or a batch names for ever.
Orphan files, which killed runs left and no snapshot refers to, are removed after a day. Where the file says how long
`events`, `quarantine` or `predictions` are kept, partitions that ended longer ago are removed; a snapshot that is
kept for a model still has their rows. The rows of every other partition stay as they are. Raw logs are never touched.
A run that finds nothing to do changes nothing. `bi.upkeep_history` says what each run did.

**Who waits for it:** nobody; disks and readers of the lake, after weeks.

**When this is red:** nothing is lost and nothing waits; the lake only grows. The log says which table could not be
read or written, or (*LakeConflict*) that somebody published meanwhile; clear the run, or wait for tomorrow's. By
hand, at any time: `airflow dags trigger <problem>__upkeep`.
"""

from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("lake")

for problem in problems_with(Stage.UPKEEP):
    # At a quiet hour, each problem's at the same: what it does is little, and queues at the tables' locks.
    with stage_dag(problem, Stage.UPKEEP, __doc__, schedule="30 3 * * *", max_active_runs=1):
        run_step(steps.keep_up, problem, is_partitioned=False)
