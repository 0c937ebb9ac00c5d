"""Rebuild the data of the built-in problems from the packages they come from.

    python -m scripts.build_datasets [--problem NAME ...] [--packages FOLDER]

Fetches each archive with the ordinary client of its kind, checks it against the checksum pinned in the recipe, and
writes Parquet files and a SOURCE.md under `include/problems/data/<problem>/`. What the rows mean is in
`scripts/datasets/`; this file only fetches, checks and writes.
"""

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.errors import MulgilError
from include.settings import REPOSITORY
from scripts.datasets import ad_review, bikes, campaign, credit_scoring, flight_delay, patient, penguins
from scripts.datasets.recipe import DataFile, Package, Recipe

DATA = REPOSITORY / "include" / "problems" / "data"
MODULES = (ad_review, flight_delay, campaign, penguins, credit_scoring, patient, bikes)
RECIPES = {module.RECIPE.problem: module.RECIPE for module in MODULES}


class BadPackage(MulgilError):
    """An archive could not be fetched, or is not the one the recipe was written for."""


def fetch_archive(package: Package, folder: Path) -> Path:
    """Bring a package's archive into a folder, unless it is there already, and check it.

    Args:
        package: which archive.
        folder: where it is kept; archives already there are used again.

    Returns:
        path of the archive, its checksum verified.

    Raises:
        BadPackage: the client failed, or the checksum is another one.
    """
    archive = folder / package.archive
    if not archive.exists():
        done = subprocess.run(fetch_command(package, folder), capture_output=True, text=True, check=False)
        if done.returncode != 0 or not archive.exists():
            raise BadPackage(f"{package.client} did not bring {package.archive}. It said: {done.stderr.strip()[-500:]}")
    require_checksum(archive, package.sha256)
    return archive


def fetch_command(package: Package, folder: Path) -> list[str]:
    """Give the command that downloads one archive, as it was published and without what it depends on."""
    if package.client == "npm":
        return ["npm", "pack", f"{package.name}@{package.version}", "--pack-destination", str(folder)]
    pinned = f"{package.name}=={package.version}"
    kind = "--only-binary" if package.archive.endswith(".whl") else "--no-binary"
    return ["pip", "download", "--no-deps", kind, ":all:", "--dest", str(folder), pinned]


def require_checksum(archive: Path, sha256: str) -> None:
    """Refuse an archive that is not the one the recipe was written for.

    Raises:
        BadPackage: the archive's SHA-256 differs; the message has both.
    """
    actual = file_sha256(archive)
    if actual != sha256:
        raise BadPackage(
            f"{archive.name} has SHA-256 {actual}, expected {sha256}. "
            "A broken download? Delete it and try again; if it stays, the package was changed after publication."
        )


def file_sha256(path: Path) -> str:
    """Give a file's SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_parquet(table: pa.Table, file: DataFile, path: Path) -> None:
    """Write one table as a small Parquet file, the same bytes for the same rows and the same pyarrow."""
    plain = [name for name in table.schema.names if name not in file.sorted_columns]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,  # written once, cloned often
        use_dictionary=plain,
        column_encoding=dict.fromkeys(file.sorted_columns, "DELTA_BYTE_ARRAY") or None,
        store_schema=False,
    )


def source_page(recipe: Recipe, tables: dict[str, pa.Table], folder: Path) -> str:
    """Write the page that says where a data set comes from and what was done to it.

    Args:
        recipe: the data set's recipe.
        tables: its tables by file name.
        folder: where its Parquet files are already written.
    """
    package = recipe.package
    parts = [
        f"# {recipe.title}\n",
        f"* origin: {recipe.origin}",
        f"* package: {package.client} `{package.name}` {package.version}, file `{package.archive}`",
        f"* SHA-256 of the package: `{package.sha256}`",
        f"* licence: {recipe.licence}",
        f"* rebuilt by: `python -m scripts.build_datasets --problem {recipe.problem}` (pyarrow {pa.__version__})\n",
    ]
    parts += [_file_section(file, tables[file.name], folder / file.name) for file in recipe.files]
    return "\n".join([*parts, "## What was done to it, and what to know\n", recipe.write_notes(tables)])


def _file_section(file: DataFile, table: pa.Table, path: Path) -> str:
    columns = "\n".join(
        f"| `{column.name}` | {column.type} | {table.column(column.name).null_count:,} | {column.meaning} |"
        for column in file.columns
    )
    return (
        f"## `{file.name}`\n\n{file.holds[0].upper()}{file.holds[1:]}.\n\n"
        f"{table.num_rows:,} rows, {path.stat().st_size:,} bytes, SHA-256 `{file_sha256(path)}`\n\n"
        f"| column | type | nulls | meaning, unit |\n|---|---|---|---|\n{columns}\n"
    )


def build_dataset(recipe: Recipe, packages: Path, data: Path) -> None:
    """Build one problem's files from its package.

    Args:
        recipe: what to build.
        packages: folder of downloaded archives.
        data: folder that gets `<problem>/`.

    Raises:
        BadPackage: the archive could not be fetched or is another one.
    """
    tables = recipe.make_tables(fetch_archive(recipe.package, packages))
    folder = data / recipe.problem
    folder.mkdir(parents=True, exist_ok=True)
    for file in recipe.files:
        write_parquet(tables[file.name], file, folder / file.name)
    (folder / "SOURCE.md").write_text(source_page(recipe, tables, folder), encoding="utf-8")


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Rebuild the built-in problems' data from their packages.")
    parser.add_argument("--problem", nargs="+", choices=sorted(RECIPES), default=list(RECIPES), metavar="NAME")
    parser.add_argument("--packages", type=Path, help="folder of downloaded archives; a temporary one when absent")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for problem in arguments.problem:
            build_dataset(RECIPES[problem], arguments.packages or Path(temporary), DATA)
            print(f"{problem}: built")


if __name__ == "__main__":
    try:
        main()
    except MulgilError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
