"""People who smoked in 1971, as they were examined until 1982, and whether they died within the ten years after.

Dates of death and what was only computed from other columns stay out of the records.
"""

import io
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from scripts.datasets.recipe import Column, DataFile, Package, Recipe, read_member

MEMBER = "causaldata-0.1.5/causaldata/nhefs/nhefs.dta"

VISITS = DataFile(
    name="visits.parquet",
    holds="one record per person, under the study's names and codes; replayed into landing",
    columns=(
        Column("seqn", pa.string(), "the study's number of the person; unique, personal data"),
        Column("age", pa.int32(), "in 1971, years"),
        Column("sex", pa.int32(), "0 man, 1 woman"),
        Column("race", pa.int32(), "0 white, 1 black or other, in 1971"),
        Column("education", pa.int32(), "by 1971: 1 is 8th grade or less, 5 college or more"),
        Column("sbp", pa.int32(), "systolic blood pressure in 1982, mm Hg"),
        Column("dbp", pa.int32(), "diastolic blood pressure in 1982, mm Hg"),
        Column("ht", pa.float64(), "height in 1971, centimetres"),
        Column("wt71", pa.float64(), "weight in 1971, kilograms"),
        Column("wt82", pa.float64(), "weight in 1982, kilograms"),
        Column("cholesterol", pa.int32(), "serum cholesterol in 1971, mg per 100 ml"),
        Column("smokeyrs", pa.int32(), "years of smoking"),
        Column("smokeintensity", pa.int32(), "cigarettes a day in 1971"),
        Column("smkintensity82_71", pa.int32(), "cigarettes a day in 1982 less those of 1971"),
        Column("qsmk", pa.int32(), "1 who stopped smoking before 1982, 0 who did not"),
        Column("exercise", pa.int32(), "in 1971: 0 much, 1 moderate, 2 little or none"),
        Column("active", pa.int32(), "on a usual day in 1971: 0 very, 1 moderately, 2 inactive"),
        Column("alcoholfreq", pa.int32(), "in 1971: 0 almost every day ... 4 not in the last year, 5 unknown"),
        Column("asthma", pa.int32(), "diagnosed by 1971: 1 ever, 0 never"),
        Column("bronch", pa.int32(), "chronic bronchitis or emphysema by 1971: 1 ever, 0 never"),
        Column("hf", pa.int32(), "heart failure by 1971: 1 ever, 0 never"),
        Column("hbp", pa.int32(), "high blood pressure by 1971: 1 ever, 0 never, 2 missing"),
        Column("diabetes", pa.int32(), "by 1971: 1 ever, 0 never, 2 missing"),
        Column("tumor", pa.int32(), "malignant tumour by 1971: 1 ever, 0 never"),
        Column("death", pa.int32(), "1 who died from 1983 to 1992, 0 who did not; **known only later**, the answer"),
    ),
)


def make_visits(people: pd.DataFrame) -> pa.Table:
    """Take the columns of the log, whole numbers as such, gaps as null, in the study's order."""
    made = {}
    for column in VISITS.columns:
        values = people[column.name]
        if column.type != pa.float64():
            values = values.astype("Int64")
        made[column.name] = pa.array(
            values.astype("string") if column.type == pa.string() else values, from_pandas=True
        )
    return pa.table(made).cast(VISITS.schema)


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the visits from the package's archive."""
    with tarfile.open(archive) as tar:
        people = pd.read_stata(io.BytesIO(read_member(tar, MEMBER)))
    return {VISITS.name: make_visits(people)}


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the visits, with the numbers."""
    visits = tables[VISITS.name].to_pandas()
    return f"""\
* {len(visits):,} people of 25 to 74 years who smoked when they were first examined (1971 to 1975), and were seen again
  in 1982. {int(visits["death"].sum())} of them died from 1983 to 1992.
* The file has no dates of examination. It is replayed as one object, and a row's time is that of its arrival.
* Left out: the dates of death, which are the answer; changes that are differences of other columns; prices and taxes of
  tobacco, and answers about medicines, meals and births.
* Codes are the study's: 2 stands for missing in `hbp` and `diabetes`, 5 in `alcoholfreq`.
* Everybody smoked in 1971: what is learned is about smokers, and who stopped was not drawn by lot.
"""


RECIPE = Recipe(
    problem="patient",
    title="Smokers examined in 1971 and 1982, and who died by 1992",
    origin=(
        "NHANES I Epidemiologic Follow-up Study, National Center for Health Statistics and National Institute on Aging "
        "(United States), as used by Miguel Hernan and James Robins, Causal Inference: What If; packaged by Nick "
        "Huntington-Klein"
    ),
    licence="MIT (the package's); the study is a work of the United States government",
    package=Package(
        client="pip",
        name="causaldata",
        version="0.1.5",
        archive="causaldata-0.1.5.tar.gz",
        sha256="5604fb84000c6a8ae3e93630b3624e9f2af4f8700e4465ec3586998b3522fd1c",
    ),
    files=(VISITS,),
    make_tables=make_tables,
    write_notes=write_notes,
)
