"""# Rules

Look in what people have labelled for a rule "the text contains X" that would pay, and ask a person about it.

A person starts it. Words are suggested and chosen by one part of the labels; their precision and coverage are
measured on other labels, of items that chance chose, with 95 % intervals. The task `approve` shows the table and
waits; a no, or no answer within `training.approval_timeout`, leaves the rule as it is. The history is
`bi.keyword_rule`.

**Who waits for it:** nobody. From the next training on, models must beat the approved rule.

**When this is red:** the rule in force stays. `mine_rule` says what the labels lack; with nothing to propose it is
*skipped*, and its reason says why. `record_rule` alone red: clear it, the answer is kept by Airflow.
"""

from approval import approval_timeout_of, ask_a_person
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("learning")

for problem in problems_with(Stage.RULES):
    with stage_dag(problem, Stage.RULES, __doc__, schedule=None, max_active_runs=1):
        asked = run_step(
            steps.mine_rule, problem, is_partitioned=False, only_if=lambda mined: mined["rule_version"] is not None
        )
        ask_a_person(
            problem,
            asked,
            steps.mine_rule,
            steps.record_rule,
            "rule_version",
            waits=approval_timeout_of(problem),
            is_partitioned=False,
        )
