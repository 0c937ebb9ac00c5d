"""# Erase a person

Take everything of one person out of the lake and the warehouse, for good; one request, started with a form.

The form takes a *token* instead of a name, so that nobody's name stands in Airflow:
`.venv/bin/python -m scripts.subject_token` asks for the value of an identifier, contact or key column as it stands in
the raw logs, and prints it. Rows go from the lake (every snapshot older than the request, and its files, are
removed), from the quarantine, the predictions, and all that was asked, answered and explained about them. Ingest
skips the person's rows from then on: their records are counted as *erased on request*. `core.erased_subject` keeps
the hash, who asked and why (`bi.erasure_history`). Models whose training snapshot was removed are marked.
Raw logs are not changed: the outcome names the objects that still hold the person; delete or rewrite those by the
bucket's own rules.

**Who waits for it:** the person who asked, and whoever answers for the deadline.

**When this is red:** something may still be there; clear the run, which is always safe. `prove_erased` names the
tables in which it found something. *BadSettings* means that a key is missing that an identifier was hashed with;
*LakeConflict* that something was published meanwhile.
"""

from airflow.sdk import Param

from include.names import SUBJECT_TOKEN, Single
from stage import problems_for, run_form, single_dag
from steps_by_name import Steps

steps = Steps("lake")

problems = problems_for(Single.ERASE)
if problems:
    form = {
        "problem": Param(problems[0].name, type="string", enum=[problem.name for problem in problems], title="Problem"),
        "subject": Param(
            None,
            type="string",
            pattern=f"^{SUBJECT_TOKEN}$",
            title="Token of the person",
            description="what scripts.subject_token prints; never the name itself",
        ),
        "reason": Param(
            None,
            type="string",
            minLength=5,
            title="Reason",
            description="in one sentence, without a name; it stays in the history",
        ),
    }
    with single_dag(Single.ERASE, __doc__, params=form):
        run_form(steps.erase_subject) >> run_form(steps.prove_erased)
