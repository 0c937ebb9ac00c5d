"""Stores models and loads them again: skops, never pickle, and nothing is loaded that was not registered.

What belongs here: bytes and their hash. What does not: which version serves (`registry/versions.py`).
"""

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from include.engine.durability import write_whole
from include.errors import TamperedModel
from include.learning.data.features import FeatureSpec

with warnings.catch_warnings():
    # It asks every module that is loaded for every name it knows, and Airflow's warn about their deprecated ones.
    warnings.simplefilter("ignore")
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

# Beside what skops trusts by itself. Written by hand: a list read from the file would trust whatever the file says.
ALLOWED_TYPES = (
    "functools.partial",
    "include.learning.calibration.calibrators.Calibrated",
    "include.learning.calibration.calibrators.LogisticMap",
    "include.learning.quantity.forecasts.BoostedForecast",
    "include.learning.quantity.forecasts.LinearForecast",
    "include.learning.quantity.models.QuantityModel",
    "include.learning.quantity.seasons.SeasonalNaive",
    "include.learning.several.models.ClassesModel",
    "include.learning.several.models.LabelsModel",
    "include.learning.several.models.SoftmaxMap",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.utils.validation.check_array",
)

# Where classes lay when older models were stored -> where they lie today. A file names its classes by module.
MOVED_MODULES = {"include.learning.calibrators": "include.learning.calibration.calibrators"}


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
    write_whole(path, content, folder)
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


def heldout_path(folder: Path, model_version: str, sha256: str) -> Path:
    """Name the file that keeps what the candidates said about held-out rows: its name holds its hash, as a model's."""
    return folder / f"{model_version}.{sha256[:12]}.heldout.parquet"


def save_heldout(folder: Path, model_version: str, heldout: pd.DataFrame) -> str:
    """Keep the held-out answers of one version, so that a later one is compared on the same rows.

    Other answers of the same version stay where they are: the registry may name them still.

    Returns:
        sha256 of the stored bytes; the same answers have the same.
    """
    content = heldout.to_parquet(index=False)
    digest = hashlib.sha256(content).hexdigest()
    write_whole(heldout_path(folder, model_version, digest), content, folder)
    return digest


def load_heldout(folder: Path, row: Mapping[str, Any]) -> pd.DataFrame:
    """Read the held-out answers of one version: what the gate judges it by.

    Args:
        folder: the problem's folder of models.
        row: of the registry, with model_version and heldout_sha256 (None where it was not kept yet).

    Raises:
        TamperedModel: the file is gone, or its bytes are not the registered ones.
    """
    version, registered = str(row["model_version"]), row["heldout_sha256"]
    path = heldout_path(folder, version, registered or "")
    if not path.is_file():
        path = folder / f"{version}.heldout.parquet"  # as it was named before its name held its hash
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


def sweep_version(folder: Path, model_version: str, keep: Path, heldout_sha256: str) -> None:
    """Remove the files of earlier fits of one version, after the registry names the new ones.

    Args:
        keep: the model that the registry names.
        heldout_sha256: of the answers that it names.
    """
    kept = (keep, heldout_path(folder, model_version, heldout_sha256))
    for path in (*folder.glob(f"{model_version}.*.skops"), *folder.glob(f"{model_version}.*heldout.parquet")):
        if path not in kept:
            path.unlink(missing_ok=True)


def _read(content: bytes, name: str) -> StoredModel:
    """Turn bytes into a model, if every type in them is known.

    Raises:
        TamperedModel: one is not.
    """
    try:
        payload: Mapping[str, Any] = skops.io.loads(_with_moved_modules(content), trusted=list(ALLOWED_TYPES))
    except UntrustedTypesFoundException as error:
        raise TamperedModel(
            f"{name} holds types that no model of ours has, and was not loaded. {error} "
            "A new kind of model adds its types to ALLOWED_TYPES in include/learning/registry/artifacts.py "
            "after a review."
        ) from error
    return StoredModel(payload["model"], FeatureSpec.from_dict(payload["spec"]), str(payload["model_version"]))


def _with_moved_modules(content: bytes) -> bytes:
    """Let a model that was stored before its classes moved name them where they lie today.

    Args:
        content: as it was registered; its hash is checked before, so nothing is trusted that was not.

    Returns:
        the same bytes where every class lies where it lay.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    if not any(f'"{module}"'.encode() in parts["schema.json"] for module in MOVED_MODULES):
        return content
    parts["schema.json"] = json.dumps(json.loads(parts["schema.json"], object_hook=_with_moved_module)).encode()
    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w") as target:
        for name, part in parts.items():
            target.writestr(name, part)
    return renamed.getvalue()


def _with_moved_module(node: dict[str, Any]) -> dict[str, Any]:
    """Give one part of a stored model's description its class's module of today."""
    module = node.get("__module__")
    return node | {"__module__": MOVED_MODULES[module]} if isinstance(module, str) and module in MOVED_MODULES else node
