"""Penguins of three species as they were measured on their nests, with the species in a file of its own.

The field book names the species of every bird; it stands in the truth file only, so that people and a model can be
asked for it. The number of a sample tells it, too (each species is counted from 1), so a number of our own replaces it.
"""

import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pyarrow as pa

from scripts.datasets.recipe import Column, DataFile, Package, Recipe

MEMBER = "palmerpenguins/data/penguins-raw.csv"

PENGUINS = DataFile(
    name="penguins.parquet",
    holds="the field book, one record per bird, under its own column names; replayed into landing",
    columns=(
        Column("sample_id", pa.string(), "`p001` to `p344`, by date, mixed within a day; **ours**, see below; unique"),
        Column("studyName", pa.string(), "season: `PAL0708`, `PAL0809` or `PAL0910`"),
        Column("Region", pa.string(), "always `Anvers`"),
        Column("Island", pa.string(), "`Biscoe`, `Dream` or `Torgersen`"),
        Column("Stage", pa.string(), "always `Adult, 1 Egg Stage`"),
        Column("Individual ID", pa.string(), "nest and bird; not unique, each species and season counts anew"),
        Column("Clutch Completion", pa.string(), "whether the nest was seen with two eggs: `Yes` or `No`"),
        Column("Date Egg", pa.string(), "day on which the nest was seen with one egg, `2007-11-11`"),
        Column("Culmen Length (mm)", pa.float64(), "length of the bill's ridge, millimetres"),
        Column("Culmen Depth (mm)", pa.float64(), "depth of the bill, millimetres"),
        Column("Flipper Length (mm)", pa.float64(), "millimetres"),
        Column("Body Mass (g)", pa.float64(), "grams"),
        Column("Sex", pa.string(), "`MALE` or `FEMALE`, by DNA; null where unknown"),
        Column("Delta 15 N (o/oo)", pa.float64(), "15N to 14N in the blood against air, per mille"),
        Column("Delta 13 C (o/oo)", pa.float64(), "13C to 12C in the blood against limestone, per mille"),
        Column("Comments", pa.string(), "of whoever measured"),
    ),
)
TRUTH = DataFile(
    name="truth.parquet",
    holds="the answers; never replayed, read only by the demo reviewer, the tests and the results script",
    columns=(
        Column("sample_id", pa.string(), "key of `penguins.parquet`"),
        Column("label", pa.string(), "`Adelie`, `Chinstrap` or `Gentoo`: the first word of the field book's species"),
    ),
)


def species_of(text: str) -> str:
    """Give the common name's first word: `Adelie Penguin (Pygoscelis adeliae)` is `Adelie`."""
    return text.split()[0]


def mixing_key(row: dict[str, str]) -> str:
    """Give the sort key that mixes the birds of a day: a hash of what names a bird in the field book."""
    named = ":".join((row["studyName"], row["Species"], row["Sample Number"]))
    return hashlib.sha256(f"mulgil:{named}".encode()).hexdigest()


def number_birds(rows: list[dict[str, str]]) -> list[dict[str, str | None]]:
    """Put birds in order of their day, mixed within it, and number them; `NA` is null."""
    ordered = sorted(rows, key=lambda row: (row["Date Egg"], mixing_key(row)))
    return [
        {"sample_id": f"p{number:03d}", **{name: None if value == "NA" else value for name, value in row.items()}}
        for number, row in enumerate(ordered, start=1)
    ]


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the field book and the truth from the package's archive."""
    with zipfile.ZipFile(archive) as wheel:
        text = wheel.read(MEMBER).decode("utf-8")
    birds = number_birds(list(csv.DictReader(io.StringIO(text))))
    book = {column.name: pa.array([bird[column.name] for bird in birds], pa.string()) for column in PENGUINS.columns}
    truth = [{"sample_id": bird["sample_id"], "label": species_of(str(bird["Species"]))} for bird in birds]
    return {
        PENGUINS.name: pa.table(book).cast(PENGUINS.schema),
        TRUTH.name: pa.Table.from_pylist(truth, schema=TRUTH.schema),
    }


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the birds, with the numbers."""
    labels = tables[TRUTH.name].column("label").to_pylist()
    counts = ", ".join(f"{labels.count(name)} {name}" for name in sorted(set(labels)))
    days = tables[PENGUINS.name].column("Date Egg").to_pylist()
    months = {day[:7] for day in days}
    sizes = ", ".join(f"{sum(day.startswith(month) for day in days)} in {month}" for month in sorted(months))
    return f"""\
* {len(labels)} birds: {counts}. {sizes}: the two Decembers are thin, and the last holds one species only.
* `Species` stands in `truth.parquet` and nowhere else. `Sample Number` is left out, because each species is counted
  from 1; `sample_id` takes its place.
* Names of columns, gaps and remarks are the field book's. Two birds have no measurement at all.
"""


RECIPE = Recipe(
    problem="penguins",
    title="Penguins of three species near Palmer Station, 2007 to 2009",
    origin=(
        "Kristen B. Gorman and the Palmer Station Long Term Ecological Research programme (Gorman, Williams and "
        "Fraser, PLoS ONE 9(3): e90081, 2014), collected as palmerpenguins by Allison Horst, Alison Hill and Kristen "
        "Gorman, packaged for Python by Muhammad Chenariyan Nakhaee"
    ),
    licence="CC0 (the data), MIT (the package)",
    package=Package(
        client="pip",
        name="palmerpenguins",
        version="0.1.6",
        archive="palmerpenguins-0.1.6-py3-none-any.whl",
        sha256="5c3be9af84dd703a25f1aaeadeac6ac770cfd38c1620d00089f581c023129ee0",
    ),
    files=(PENGUINS, TRUTH),
    make_tables=make_tables,
    write_notes=write_notes,
)
