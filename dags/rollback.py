"""# Roll back a model

Take the model in production out, and let an earlier one serve again; one step, started by a person with a form.

The form asks for the problem, the version to return to (`previous`, or the name of one that has served) and the
reason. Every later version is taken out, so that none of them comes back by itself; the history keeps who did
it, when and why (`bi.model_in_production`). What the other model has scored is announced and scored again. The
next training is judged as always, and may promote a new version.

**Who waits for it:** whoever is harmed by the model that serves; `monitor` and `review`, which score again.

**When this is red:** nothing has changed, the model in production still serves. `roll_back` says which versions
can be returned to. From Python: `include.learning.steps.roll_back`.
"""

from airflow.sdk import Asset, Param

from include import names
from include.names import Single
from stage import problems_for, run_for_chosen, run_form, single_dag
from steps_by_name import Steps

steps = Steps("learning")

problems = problems_for(Single.ROLLBACK)
if problems:
    form = {
        "problem": Param(problems[0].name, type="string", enum=[problem.name for problem in problems], title="Problem"),
        "to_version": Param(
            "previous",
            type="string",
            minLength=1,
            title="Version",
            description="previous, or the name of a version that has served",
        ),
        "reason": Param(
            None,
            type="string",
            minLength=5,
            title="Reason",
            description="in one sentence; it stays in the history",
        ),
    }
    with single_dag(Single.ROLLBACK, __doc__, params=form):
        rolled = run_form(steps.roll_back)
        for problem in problems:
            outlet = Asset(names.model_asset(problem.name))
            rolled >> run_for_chosen(steps.list_rescorable, problem, outlet=outlet, keys=lambda listed: listed["keys"])
