"""Values for Airflow's chart: held to the code, the image and docker-compose.yaml, without a cluster."""

import re
from typing import Any

import pytest
import yaml

from tests.deployment import compose

COMPOSE = compose.COMPOSE_FILE.read_text(encoding="utf-8")
SERVICES = compose.read_services(COMPOSE)
DEFAULT_SERVICES = compose.read_services(compose.with_defaults(COMPOSE))
TEXT = (compose.REPOSITORY / "deploy" / "helm" / "values.yaml").read_text(encoding="utf-8")
VALUES: dict[str, Any] = yaml.safe_load(TEXT)
DOCKERFILE = (compose.REPOSITORY / "docker" / "airflow" / "Dockerfile").read_text(encoding="utf-8")
PLAIN = {entry["name"]: entry["value"] for entry in VALUES["env"]}
SECRET = {entry["envName"]: entry for entry in VALUES["secret"]}
# Where a name of Compose has another home in the chart, or no use there.
ELSEWHERE = {
    "AIRFLOW__CORE__EXECUTOR": "executor",
    "AIRFLOW__CORE__FERNET_KEY": "fernetKeySecretName",
    "AIRFLOW__API__SECRET_KEY": "apiSecretKeySecretName",
    "AIRFLOW__API_AUTH__JWT_SECRET": "jwtSecretName",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "data.metadataSecretName",
    "AIRFLOW__CELERY__RESULT_BACKEND": "data.resultBackendSecretName",
    "AIRFLOW__CELERY__BROKER_URL": "data.brokerUrlSecretName",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "the chart writes it from its own services",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "the chart asks the scheduler by a command",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": "the chart mounts a folder of logs below AIRFLOW_HOME",
    "MULGIL_S3_ENDPOINT": "the cloud's own store needs none; the file shows it in a comment",
    "MULGIL_SPARK_MASTER": "this file starts no Spark",
    "MULGIL_PII_OLDER_KEYS": "in the connection mulgil_pii, or one more entry of `secret`",
    "MULGIL_PAGE_ORIGINS": "one address, config.api.base_url",
}


def airflow_options() -> set[str]:
    """Name what `config` sets, as the environment would."""
    config = VALUES["config"]
    return {f"AIRFLOW__{section}__{option}".upper() for section in config for option in config[section]}


def find(path: str) -> Any:
    found: Any = VALUES
    for part in path.split("."):
        found = found[part]
    return found


def test_every_airflow_option_is_one_of_the_installed_airflow():
    used = airflow_options() | {name for name in PLAIN if name.startswith("AIRFLOW__")}
    assert len(used) >= 10
    assert compose.unknown_airflow_options(used) == []


def test_a_pod_is_told_all_that_a_container_of_compose_is():
    said = PLAIN.keys() | SECRET.keys() | airflow_options()
    wanted = SERVICES["airflow-worker"]["environment"].keys()
    assert wanted - said == ELSEWHERE.keys()
    for place in ELSEWHERE.values():
        assert " " in place or find(place)


def test_no_name_is_set_that_compose_does_not_know():
    known = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert (PLAIN.keys() | SECRET.keys() | airflow_options()) - known == set()


def test_what_both_say_plainly_is_the_same():
    environment = DEFAULT_SERVICES["airflow-worker"]["environment"]
    config = {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in VALUES["config"].items()
        for option, value in options.items()
    }
    own_address = {"AIRFLOW__API__BASE_URL"}
    both = ({**PLAIN, **config}.keys() & environment.keys()) - own_address
    assert len(both) >= 15
    assert {name: {**PLAIN, **config}[name] for name in both} == {name: environment[name] for name in both}


def test_the_settings_read_what_the_file_sets():
    from include.settings import read_settings

    settings = read_settings(PLAIN | dict.fromkeys(SECRET, "secret"))
    assert (settings.landing_url, settings.lake_url) == ("s3://mulgil-landing", "s3://mulgil-lake")
    assert settings.s3_endpoint is None
    assert not settings.is_demo_reviewer_on


def test_every_secret_comes_from_a_secret_of_its_owner():
    literal = {"x": {"environment": PLAIN}}
    assert compose.literal_secrets(literal) == []
    assert all(entry["secretName"] and entry["secretKey"] for entry in SECRET.values())
    named = [find(path) for path in ELSEWHERE.values() if " " not in path and path != "executor"]
    assert all(name.startswith("mulgil-") for name in named)
    assert not re.search(
        r"^\s*(fernetKey|apiSecretKey|jwtSecret|pass|password|metadataConnection):", TEXT, re.MULTILINE
    )


def test_the_image_is_the_one_that_compose_builds():
    image, tag = SERVICES["airflow-worker"]["image"].split(":")
    assert (VALUES["defaultAirflowRepository"], VALUES["defaultAirflowTag"]) == (image, tag)
    assert (VALUES["images"]["airflow"]["repository"], VALUES["images"]["airflow"]["tag"]) == (image, tag)
    pinned = re.search(r"^apache-airflow==(\S+)", (compose.REPOSITORY / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    assert VALUES["airflowVersion"] == pinned.group(1)


@pytest.mark.parametrize("folder", ["dags", "plugins", "config", "docker/airflow", "include"])
def test_every_folder_that_the_file_names_is_baked_into_the_image(folder: str):
    assert f"/opt/mulgil/{folder}" in TEXT
    assert f"COPY {folder} ./{folder}" in DOCKERFILE
    assert "WORKDIR /opt/mulgil" in DOCKERFILE


def test_pods_run_as_the_images_user():
    assert f"useradd --uid {VALUES['securityContexts']['pod']['runAsUser']} " in DOCKERFILE


def test_nobody_gets_a_default_password_and_only_one_pod_reads_the_admins():
    assert VALUES["createUserJob"]["defaultUser"]["enabled"] is False
    assert "AIRFLOW_ADMIN_PASSWORD" not in PLAIN.keys() | SECRET.keys()
    job = VALUES["migrateDatabaseJob"]
    (mount,), (volume,) = job["extraVolumeMounts"], job["extraVolumes"]
    assert (mount["name"], volume["secret"]["secretName"]) == (volume["name"], "mulgil-admin")
    assert f"{mount['mountPath']}/password" in job["args"][-1]
    assert "python /opt/mulgil/docker/airflow/prepare.py" in job["args"][-1]


def test_models_lie_on_the_volume_that_all_pods_share():
    (mount,) = VALUES["volumeMounts"]
    assert PLAIN["MULGIL_HOME"] == mount["mountPath"]
    assert PLAIN["MULGIL_MODELS_URL"].startswith(mount["mountPath"])
    assert [volume["name"] for volume in VALUES["volumes"]] == [mount["name"]]


def test_only_keda_decides_how_many_workers_there_are():
    celery = VALUES["workers"]["celery"]
    assert celery["keda"]["enabled"]
    assert 1 <= celery["keda"]["minReplicaCount"] < celery["keda"]["maxReplicaCount"]
    assert "hpa" not in celery
    assert "replicas" not in celery


def test_the_alternative_in_comments_is_yaml_that_fits_in():
    begin = TEXT.index("    # enabled: true")
    shown = TEXT[begin : TEXT.index("# -----", begin)]
    values = yaml.safe_load(re.sub(r"^    # ", "", shown, flags=re.MULTILINE))
    assert values["enabled"]
    assert values["ref"] == values["branch"]
    assert values["subPath"] == "dags"
