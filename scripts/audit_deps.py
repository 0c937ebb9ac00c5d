"""`make audit-deps`: the licence of every locked package, and what the project is made of as a CycloneDX list.

    python -m scripts.audit_deps                 licences; exit code 1 where one is not allowed
    python -m scripts.audit_deps --sbom FILE     and write the list of packages (CycloneDX 1.6, JSON)

Read from the metadata of what is installed here: nothing is downloaded. Known weaknesses are no part of it: their
databases change daily and are asked over the network (docs/production.md says how).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-spark.txt", "requirements-dev.txt")

# SPDX names that ask for no more than to be named.
PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC"),
    *("MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib"),
}
# What packages without an SPDX name call themselves; "BSD" alone is one of two, and both are permissive.
SPELLINGS = {
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Not permissive, or not said in the metadata, and used all the same; each with the reason.
EXCEPTIONS = {
    "certifi": "MPL-2.0 covers changes to its own files; we change none",
    "hypothesis": "MPL-2.0 covers changes to its own files; tests only, part of no image",
    "pathspec": "MPL-2.0 covers changes to its own files; we change none",
    "tqdm": "MPL-2.0 covers changes to its own files; we change none",
    "psycopg": "LGPL-3.0: imported as a library that anybody may replace; we change nothing in it",
    "psycopg-binary": "LGPL-3.0: as psycopg",
    "psycopg2-binary": "LGPL with exceptions: imported as a library; Airflow 3.3 asks for it",
    "skops": "its metadata says only 'OSI Approved'; the LICENSE file in it is MIT",
    "text-unidecode": "its author lets everybody choose the Artistic License, which asks for naming alone",
}


@dataclass(frozen=True)
class Package:
    """One locked package that is installed here.

    Attributes:
        name: canonical name.
        version: installed.
        licence: SPDX expression, or what the package says in its place; empty where it says nothing.
        summary: one line of its own.
    """

    name: str
    version: str
    licence: str
    summary: str


def read_locks(paths: Iterable[Path]) -> list[str]:
    """Name the packages that lock files want on this system, each once, in order."""
    names = set()
    for path in paths:
        for line in path.read_text().splitlines():
            text = line.partition("#")[0].strip().rstrip("\\").strip()
            if not text or text.startswith("-"):
                continue
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate():
                names.add(canonicalize_name(wanted.name))
    return sorted(names)


def read_packages(names: Iterable[str]) -> tuple[list[Package], list[str]]:
    """Return what the installed packages say of themselves, and the names that are not installed here."""
    found, missing = [], []
    for name in names:
        try:
            said = metadata(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        found.append(Package(name, said["Version"], find_licence(said), _first(said, "Summary")))
    return found, missing


def find_licence(said: PackageMetadata) -> str:
    """Return a package's licence: its SPDX expression, else its classifiers, else the first line of its licence field.

    Several classifiers without an expression may mean all or any of them: all of them then.
    """
    if expression := _first(said, "License-Expression"):
        return expression
    classifiers = [text.split(" :: ")[-1] for text in said.get_all("Classifier") or [] if text.startswith("License ::")]
    if classifiers:
        return " AND ".join(dict.fromkeys(SPELLINGS.get(text, text) for text in classifiers))
    first = _first(said, "License").partition("\n")[0]
    return SPELLINGS.get(first, first)


def _first(said: PackageMetadata, name: str) -> str:
    """Return a field of a package's metadata; empty where it has none."""
    return str((said.get_all(name) or [""])[0]).strip()


def is_permissive(licence: str) -> bool:
    """Say whether a licence asks for no more than to be named; of alternatives one is enough.

    Args:
        licence: SPDX expression with AND, OR and WITH, without brackets inside of which OR stands.
    """
    if not licence or "(" in licence:
        return False
    plain = re.sub(r" WITH \S+", "", licence)
    return any(all(part.strip() in PERMISSIVE for part in way.split(" AND ")) for way in plain.split(" OR "))


def find_faults(packages: Sequence[Package]) -> Iterator[str]:
    """Name packages whose licence is not allowed, and exceptions that nothing needs any more."""
    for package in packages:
        if not is_permissive(package.licence) and package.name not in EXCEPTIONS:
            yield (
                f"{package.name} {package.version}: {package.licence or 'no licence said'} is not permissive. Do "
                "without it, or write into EXCEPTIONS of scripts/audit_deps.py why it may stay."
            )
    needed = {package.name for package in packages if not is_permissive(package.licence)}
    for name in sorted(EXCEPTIONS.keys() - needed):
        yield f"{name} needs no exception any more: remove it from EXCEPTIONS of scripts/audit_deps.py."


def build_sbom(packages: Sequence[Package]) -> dict[str, Any]:
    """Return what the project is made of, as CycloneDX 1.6; the same packages give the same text."""
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{package.name}@{package.version}",
            "name": package.name,
            "version": package.version,
            "description": package.summary,
            "licenses": [_licence_of(package)],
            "purl": f"pkg:pypi/{package.name}@{package.version}",
        }
        for package in packages
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "mulgil", "name": "mulgil"}},
        "components": components,
    }


def _licence_of(package: Package) -> dict[str, Any]:
    if is_permissive(package.licence):
        return {"expression": package.licence}
    return {"license": {"name": package.licence or "unknown"}}


def format_text(packages: Sequence[Package], missing: Sequence[str]) -> str:
    """Return the licences with their packages, and the exceptions with their reasons."""
    by_licence: dict[str, list[str]] = defaultdict(list)
    for package in packages:
        by_licence[package.licence or "not said"].append(package.name)
    lines = [f"{len(packages)} packages are locked and installed here."]
    for licence, names in sorted(by_licence.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        lines.append(f"{len(names):>4}  {licence}: {', '.join(names)}")
    lines += ["", "Exceptions:", *(f"  {name}: {why}" for name, why in sorted(EXCEPTIONS.items()))]
    if missing:
        lines += ["", f"Locked and not installed here, so not asked: {', '.join(missing)}"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the licences, write the list where one is asked for; return 1 where a licence is not allowed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.audit_deps", description=__doc__)
    parser.add_argument("--sbom", default="", help="file to write the CycloneDX list to")
    parsed = parser.parse_args(arguments)
    packages, missing = read_packages(read_locks([REPO / name for name in LOCKS]))
    print(format_text(packages, missing))
    if parsed.sbom:
        Path(parsed.sbom).write_text(json.dumps(build_sbom(packages), indent=1) + "\n")
        print(f"\nWritten to {parsed.sbom}: CycloneDX 1.6, {len(packages)} components.")
    faults = list(find_faults(packages))
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
