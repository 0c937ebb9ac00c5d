"""Reads docker-compose.yaml with Debian's parser, and asks questions of what it says."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE_FILE = REPOSITORY / "docker-compose.yaml"
PARSER = shutil.which("docker-compose")

Service = Mapping[str, Any]


def load_script(path: str) -> ModuleType:
    """Import one file of `docker/`, which is no package: images copy its files one by one."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, REPOSITORY / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_parser(env_file: Path) -> subprocess.CompletedProcess[str]:
    """Let the parser resolve the file; only the env file fills its variables, nothing of this process."""
    command = [PARSER or "docker-compose", "--file", COMPOSE_FILE, "--env-file", env_file, "config"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})


def read_services(text: str) -> dict[str, Service]:
    """Read the services of a Compose file, merge keys and anchors resolved, variables as they are written."""
    return yaml.safe_load(text)["services"]


def one_shots(services: Mapping[str, Service]) -> set[str]:
    """Name the services that others wait for to end."""
    return {
        name
        for service in services.values()
        for name, link in service.get("depends_on", {}).items()
        if link["condition"] == "service_completed_successfully"
    }


def unpinned_images(services: Mapping[str, Service]) -> list[str]:
    """Name the images whose tag is missing or moves: it must hold a release of two numbers or a date."""
    exact = re.compile(r":[\w.-]*\d+[.-]\d+[\w.-]*(@sha256:[0-9a-f]{64})?$")
    return [service["image"] for service in services.values() if not exact.search(service["image"])]


def without_health_check(services: Mapping[str, Service]) -> list[str]:
    """Name the services that keep running and say nothing about their health."""
    return sorted(
        name for name in services.keys() - one_shots(services) if "test" not in services[name].get("healthcheck", {})
    )


def open_ports(services: Mapping[str, Service]) -> list[str]:
    """Name the ports that other machines could reach."""
    return [
        port for service in services.values() for port in service.get("ports", []) if not port.startswith("127.0.0.1:")
    ]


def environment_names(services: Mapping[str, Service], prefix: str) -> set[str]:
    """Name the environment variables that any service sets."""
    return {name for service in services.values() for name in service.get("environment", {}) if name.startswith(prefix)}


def literal_secrets(services: Mapping[str, Service]) -> list[str]:
    """Name the values that are a secret by their name, or hold a password in a URL, and do not come from outside."""
    secret_name = re.compile(r"PASSWORD|SECRET|_KEY$|KEY_ID$|REDISCLI_AUTH")
    password_in_url = re.compile(r"://[^/@]*:(?P<password>[^/@]+)@")
    # What may be left empty must be named all the same; of secrets only the one that a connection can keep instead.
    required = re.compile(r"\$\{([A-Z0-9_]+:|MULGIL_PII_KEY)\?[^}]+\}")
    bad = []
    for name, variable, value in _variables(services):
        match = password_in_url.search(required.sub("REQUIRED", value))
        secret = (
            match["password"] if match else required.sub("REQUIRED", value) if secret_name.search(variable) else None
        )
        # The decision service is given the public half alone.
        is_taken_away = secret == "" and variable == "MULGIL_SIGNING_KEY"
        if secret not in (None, "REQUIRED") and not is_taken_away:
            bad.append(f"{name}: {variable}")
    return bad


def _variables(services: Mapping[str, Service]) -> Iterator[tuple[str, str, str]]:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, str(value)


def local_paths(services: Mapping[str, Service]) -> set[str]:
    """Name the paths of this repository that the file uses: build contexts, Dockerfiles and bind mounts."""
    paths: set[str] = set()
    for service in services.values():
        build = service.get("build", {})
        if build:
            paths |= {build["context"], str(Path(build["context"]) / build.get("dockerfile", "Dockerfile"))}
        paths |= {mount.split(":")[0] for mount in service.get("volumes", []) if mount.startswith(".")}
    return paths


def required_names(text: str) -> set[str]:
    """Name the variables that must come from outside; a doubled dollar is the shell's in the container.

    One with a default, `${NAME:-}`, may be missing.
    """
    return set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)[:}?](?!-)", text))


def with_defaults(text: str) -> str:
    """Write in the defaults of the variables that need not come from outside."""
    return re.sub(r"(?<!\$)\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", text)


def unknown_airflow_options(names: set[str]) -> list[str]:
    """Name the variables that Airflow, with its installed providers, would silently ignore."""
    from airflow.configuration import conf

    described = conf.configuration_description  # of Airflow and of every installed provider
    known = {
        f"AIRFLOW__{section}__{option}".upper().replace(".", "_")
        for section in described
        for option in described[section]["options"]
    }
    return sorted(names - known)
