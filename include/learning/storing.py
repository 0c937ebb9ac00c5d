"""Stores models and loads them again: skops, never pickle, and nothing is loaded that was not registered.

What belongs here: bytes and their hash. What does not: which version serves (`registry.py`).
"""

import hashlib
import io
import os
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from include.errors import TamperedModel
from include.learning.features import FeatureSpec

with warnings.catch_warnings():
    # It asks every module that is loaded for every name it knows, and Airflow's warn about their deprecated ones.
    warnings.simplefilter("ignore")
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

# Beside what skops trusts by itself. Written by hand: a list read from the file would trust whatever the file says.
ALLOWED_TYPES = (
    "functools.partial",
    "include.learning.calibrators.Calibrated",
    "include.learning.calibrators.LogisticMap",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.utils.validation.check_array",
)


@dataclass(frozen=True)
class StoredModel:
    """A model as it serves.

    Attributes:
        model: takes the feature frame, gives calibrated probabilities.
        spec: how the frame is made.
        model_version: its name in the registry.
    """

    model: Any
    spec: FeatureSpec
    model_version: str


def save_model(folder: Path, stored: StoredModel) -> tuple[Path, str]:
    """Write a model; the file appears whole or not at all, under a name that holds its hash.

    Returns:
        (path, sha256 of its bytes). skops bytes differ from run to run, so a file never replaces another one that a
        scorer may have in hand.

    Raises:
        TamperedModel: it holds a type that `load_model` would refuse; better now than when it should serve.
    """
    payload = {"model": stored.model, "spec": stored.spec.to_dict(), "model_version": stored.model_version}
    content = skops.io.dumps(payload, compression=zipfile.ZIP_DEFLATED)
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{stored.model_version}.{digest[:12]}.skops"
    _read(content, path.name)
    _write_whole(path, content)
    return path, digest


def load_model(path: Path, sha256: str) -> StoredModel:
    """Load a model whose bytes are the registered ones and whose types are all known.

    Args:
        sha256: hash in the registry.

    Raises:
        TamperedModel: the file is gone, its bytes are not the registered ones, or it holds a type that is not allowed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise TamperedModel(
            f"The model file {path.name} is gone from {path.parent}. Train the version again."
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise TamperedModel(
            f"The bytes of {path.name} hash to {digest[:12]}..., registered is {sha256[:12]}...: the file was changed "
            "after it was registered. It was not loaded. Restore it from a copy, or train the version again."
        )
    return _read(content, path.name)


def load_registered(folder: Path, row: Mapping[str, Any]) -> StoredModel:
    """Load the model that a row of the registry names.

    Args:
        folder: the problem's folder of models.
        row: with model_version, artifact_url, artifact_sha256 and features.

    Raises:
        TamperedModel: from `load_model`, or the model reads other features than the registry says.
    """
    stored = load_model(folder / str(row["artifact_url"]), str(row["artifact_sha256"]))
    if stored.spec.names != list(row["features"]):
        raise TamperedModel(
            f"{row['model_version']}: the stored model reads {', '.join(stored.spec.names)}; registered are "
            f"{', '.join(row['features'])}. It was trained with another list of features and was not used. Train the "
            "version again, or roll back to another one."
        )
    return stored


def heldout_path(folder: Path, model_version: str) -> Path:
    """Name the file that keeps what the candidates said about held-out rows."""
    return folder / f"{model_version}.heldout.parquet"


def save_heldout(folder: Path, model_version: str, heldout: pd.DataFrame) -> str:
    """Keep the held-out answers of one version, so that a later one is compared on the same rows.

    Returns:
        sha256 of the stored bytes; the same answers have the same.
    """
    content = heldout.to_parquet(index=False)
    _write_whole(heldout_path(folder, model_version), content)
    return hashlib.sha256(content).hexdigest()


def load_heldout(folder: Path, row: Mapping[str, Any]) -> pd.DataFrame:
    """Read the held-out answers of one version: what the gate judges it by.

    Args:
        folder: the problem's folder of models.
        row: of the registry, with model_version and heldout_sha256 (None where it was not kept yet).

    Raises:
        TamperedModel: the file is gone, or its bytes are not the registered ones.
    """
    path, registered = heldout_path(folder, str(row["model_version"])), row["heldout_sha256"]
    if not path.is_file():
        raise TamperedModel(f"The held-out answers {path.name} are gone from {folder}. Train the version again.")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if registered is not None and digest != registered:
        raise TamperedModel(
            f"The held-out answers {path.name} hash to {digest[:12]}..., registered is {registered[:12]}...: they were "
            "changed after they were registered, and nothing was judged by them. Train the version again."
        )
    return pd.read_parquet(io.BytesIO(content))


def sweep_version(folder: Path, model_version: str, keep: Path) -> None:
    """Remove the files of earlier fits of one version, after the registry names the new one."""
    for path in folder.glob(f"{model_version}.*.skops"):
        if path != keep:
            path.unlink(missing_ok=True)


def _read(content: bytes, name: str) -> StoredModel:
    """Turn bytes into a model, if every type in them is known."""
    try:
        payload: Mapping[str, Any] = skops.io.loads(content, trusted=list(ALLOWED_TYPES))
    except UntrustedTypesFoundException as error:
        raise TamperedModel(
            f"{name} holds types that no model of ours has, and was not loaded. {error} "
            "A new kind of model adds its types to ALLOWED_TYPES in include/learning/storing.py after a review."
        ) from error
    return StoredModel(payload["model"], FeatureSpec.from_dict(payload["spec"]), str(payload["model_version"]))


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the goal and rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
