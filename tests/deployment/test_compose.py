"""The production file: parsed by a real Compose parser, and checked against the code that it configures."""

import ast
import re
import stat
from pathlib import Path

import pytest

from tests.deployment import compose

TEXT = compose.COMPOSE_FILE.read_text(encoding="utf-8")
SERVICES = compose.read_services(TEXT)
DEFAULT_SERVICES = compose.read_services(compose.with_defaults(TEXT))
SPARK_SERVICES = {"spark-master", "spark-worker"}
make_env = compose.load_script("docker/make_env.py")

needs_parser = pytest.mark.skipif(
    compose.PARSER is None,
    reason="NOT CHECKED: docker-compose is not on PATH; Debian's package of that name brings the parser, and no daemon",
)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    target = tmp_path / "env"
    make_env.write_env(target)
    return target


@needs_parser
def test_a_real_compose_parser_accepts_the_file_and_finds_every_service(env_file: Path):
    parsed = compose.run_parser(env_file)
    assert parsed.returncode == 0, parsed.stderr
    assert compose.read_services(parsed.stdout).keys() == SERVICES.keys()


@needs_parser
@pytest.mark.parametrize("name", sorted(compose.required_names(TEXT)))
def test_one_secret_missing_among_good_ones_stops_the_start_with_a_sentence(env_file: Path, name: str):
    lines = env_file.read_text().splitlines()
    env_file.write_text("\n".join(line for line in lines if not line.startswith(f"{name}=")))
    parsed = compose.run_parser(env_file)
    assert parsed.returncode != 0
    assert "make_env.py" in parsed.stderr


@needs_parser
def test_an_empty_secret_is_a_missing_one():
    parsed = compose.run_parser(compose.REPOSITORY / ".env.example")
    assert parsed.returncode != 0
    assert "make_env.py" in parsed.stderr


@needs_parser
def test_only_the_identifier_key_may_be_empty_and_must_be_written_so(env_file: Path):
    empty = re.sub(r"^MULGIL_PII_KEY=.*$", "MULGIL_PII_KEY=", env_file.read_text(), flags=re.MULTILINE)
    env_file.write_text(empty)
    parsed = compose.run_parser(env_file)
    assert parsed.returncode == 0, parsed.stderr
    assert compose.read_services(parsed.stdout)["airflow-worker"]["environment"]["MULGIL_PII_KEY"] == ""
    # Compose takes an empty value for a given one where no colon stands before the question mark.
    assert set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)\?", TEXT)) == {"MULGIL_PII_KEY"}


def test_neither_defaults_nor_names_of_the_containers_shell_are_asked_for():
    text = "${NEEDED:?is missing}, ${ALSO_NEEDED}, ${ENGINE:-duckdb}, $${HOSTNAME}"
    assert compose.required_names(text) == {"NEEDED", "ALSO_NEEDED"}
    assert compose.with_defaults(text) == "${NEEDED:?is missing}, ${ALSO_NEEDED}, duckdb, $${HOSTNAME}"


def test_spark_runs_only_under_its_profile_and_nothing_waits_for_it():
    assert {name for name, service in SERVICES.items() if "profiles" in service} == SPARK_SERVICES
    waiting = {name for name, service in SERVICES.items() if SPARK_SERVICES & service.get("depends_on", {}).keys()}
    assert waiting <= SPARK_SERVICES
    assert {tuple(SERVICES[name]["profiles"]) for name in SPARK_SERVICES} == {("spark",)}


def test_the_settings_lead_an_airflow_task_to_the_master_that_the_file_starts():
    address = SERVICES["airflow-worker"]["environment"]["MULGIL_SPARK_MASTER"]
    command = SERVICES["spark-master"]["command"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert address == f"spark://{options['--host']}:{options['--port']}"
    assert options["--host"] == "spark-master"  # the service's name is its address
    assert SERVICES["spark-worker"]["command"][-1] == address


def test_every_task_that_runs_at_once_gets_its_own_cores():
    worker, command = SERVICES["spark-worker"], SERVICES["spark-worker"]["command"]
    n_tasks = int(SERVICES["airflow-worker"]["environment"]["AIRFLOW__CELERY__WORKER_CONCURRENCY"])
    options = DEFAULT_SERVICES["spark-master"]["environment"]["SPARK_MASTER_OPTS"]
    each = int(options.removeprefix("-Dspark.deploy.defaultCores="))
    n_workers, n_cores = worker["deploy"]["replicas"], int(command[command.index("--cores") + 1])
    n_gigabytes = int(command[command.index("--memory") + 1].removesuffix("g"))
    assert n_tasks * each <= n_workers * min(n_cores, n_gigabytes)  # an executor has one gigabyte unless told otherwise
    assert SERVICES["airflow-worker"].get("deploy", {}).get("replicas", 1) == 1


def test_the_driver_and_the_workers_are_one_image_which_brings_spark_when_asked():
    images = {SERVICES[name]["image"] for name in [*SPARK_SERVICES, "airflow-worker"]}
    assert len(images) == 1
    assert SERVICES["airflow-worker"]["build"]["args"] == {"MULGIL_ENGINE": "${MULGIL_ENGINE:-duckdb}"}
    dockerfile = (compose.REPOSITORY / "docker" / "airflow" / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG MULGIL_ENGINE=duckdb" in dockerfile
    assert "COPY requirements-spark.txt" in dockerfile


def test_a_spark_worker_is_told_neither_the_warehouse_nor_the_key_of_identifiers():
    names = compose.environment_names({name: SERVICES[name] for name in SPARK_SERVICES}, "")
    assert names & {"MULGIL_WAREHOUSE_URL", "MULGIL_PII_KEY"} == set()
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= names


def test_the_template_names_exactly_the_secrets_that_the_file_asks_for():
    template = (compose.REPOSITORY / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z0-9_]+)=$", template, re.MULTILINE)) == compose.required_names(TEXT)


def test_generated_secrets_are_all_different_private_and_safe_inside_a_url(env_file: Path):
    values = re.findall(r"^[A-Z0-9_]+=(.+)$", env_file.read_text(), re.MULTILINE)
    assert len(set(values)) == len(values) == len(compose.required_names(TEXT))
    assert all(re.fullmatch(r"[\w-]{20,}=?", value) for value in values)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_the_fernet_key_is_one_that_airflow_can_encrypt_with(env_file: Path):
    from cryptography.fernet import Fernet

    key = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line)["AIRFLOW_FERNET_KEY"]
    fernet = Fernet(key)
    assert fernet.decrypt(fernet.encrypt(b"secret")) == b"secret"


def test_an_env_file_that_lacks_nothing_stays_as_it_is(env_file: Path, capsys: pytest.CaptureFixture[str]):
    before = env_file.read_text()
    assert make_env.main([str(env_file)]) == 0
    assert env_file.read_text() == before
    assert "stays as it is" in capsys.readouterr().out


def test_an_older_env_file_gets_the_name_it_lacks_and_keeps_every_line(
    env_file: Path, capsys: pytest.CaptureFixture[str]
):
    older = "".join(
        line for line in env_file.read_text().splitlines(keepends=True) if not line.startswith("MULGIL_SIGNING_KEY=")
    ).rstrip("\n")
    older = older.replace("MULGIL_PII_KEY=", "MULGIL_PII_KEY=own # ", 1)
    env_file.write_text(older)
    assert make_env.main([str(env_file)]) == 0
    assert re.fullmatch(re.escape(older) + r"\nMULGIL_SIGNING_KEY=[0-9a-f]{48}\n", env_file.read_text())
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert "Added MULGIL_SIGNING_KEY" in capsys.readouterr().out


def test_the_verify_key_is_the_public_half_also_in_an_older_file(env_file: Path):
    from include.serving.signing import make_signer, write_public_key

    values = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line)
    public = write_public_key(make_signer(values["MULGIL_SIGNING_KEY"]).public_key())
    assert values["MULGIL_VERIFY_KEY"] == public
    env_file.write_text(env_file.read_text().replace(f"MULGIL_VERIFY_KEY={public}\n", ""))
    assert make_env.write_env(env_file) == ["MULGIL_VERIFY_KEY"]
    assert env_file.read_text().endswith(f"MULGIL_VERIFY_KEY={public}\n")


def test_the_decision_service_can_check_signatures_and_make_none():
    environment = DEFAULT_SERVICES["decision-service"]["environment"]
    assert environment["MULGIL_SIGNING_KEY"] == ""
    assert SERVICES["decision-service"]["environment"]["MULGIL_VERIFY_KEY"].startswith("${MULGIL_VERIFY_KEY:?")


def test_every_image_is_pinned_to_one_release():
    assert compose.unpinned_images(SERVICES) == []


@pytest.mark.parametrize(
    "dockerfile", sorted(compose.REPOSITORY.glob("docker/*/Dockerfile")), ids=lambda p: p.parent.name
)
def test_every_base_image_is_pinned_to_one_release(dockerfile: Path):
    bases = re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)
    assert bases
    assert compose.unpinned_images({base: {"image": base} for base in bases}) == []


@pytest.mark.parametrize("image", ["redis", "redis:latest", "redis:7", "redis:alpine", "registry:5000/redis"])
def test_an_image_that_moves_is_found_among_pinned_ones(image: str):
    services = {"good": {"image": "redis:7.2.16-alpine"}, "bad": {"image": image}}
    assert compose.unpinned_images(services) == [image]


def test_every_service_that_keeps_running_has_a_health_check():
    assert compose.without_health_check(SERVICES) == []


def test_a_service_without_health_check_is_found_and_one_that_ends_is_not_asked():
    services = {
        "init": {},
        "good": {
            "healthcheck": {"test": ["CMD", "true"]},
            "depends_on": {"init": {"condition": "service_completed_successfully"}},
        },
        "bad": {"healthcheck": {"interval": "5s"}},
    }
    assert compose.without_health_check(services) == ["bad"]


def test_services_that_end_are_not_started_again_and_all_others_are():
    ends = compose.one_shots(SERVICES)
    assert ends == {"airflow-init", "superset-init"}
    assert {name: service["restart"] for name, service in SERVICES.items()} == {
        name: "no" if name in ends else "unless-stopped" for name in SERVICES
    }


def test_no_port_is_open_to_other_machines():
    assert compose.open_ports(SERVICES) == []
    assert compose.open_ports({"bad": {"ports": ["5432:5432", "127.0.0.1:80:80"]}}) == ["5432:5432"]


def test_no_secret_stands_in_the_file():
    assert compose.literal_secrets(SERVICES) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTGRES_PASSWORD", "postgres"),
        ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD:-postgres}"),
        ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD}"),
        ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD?is missing}"),
        ("MULGIL_PII_KEY", ""),
        ("MULGIL_PII_KEY", "${MULGIL_PII_KEY:-}"),
        ("ANY_URL", "redis://:guess@redis:6379/0"),
    ],
)
def test_a_default_password_is_found_among_good_values(variable: str, value: str):
    services = {
        "x": {"environment": {variable: value, "GOOD_URL": "redis://:${REDIS_PASSWORD:?is missing}@redis:6379"}}
    }
    assert compose.literal_secrets(services) == [f"x: {variable}"]


def test_every_mulgil_variable_is_one_that_the_settings_read():
    tree = ast.parse((compose.REPOSITORY / "include" / "settings.py").read_text(encoding="utf-8"))
    read = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    used = compose.environment_names(SERVICES, "MULGIL_") - {"MULGIL_DB_PASSWORD"}  # read by databases.sql
    assert len(used) >= 9
    assert used <= read


def test_the_settings_read_what_the_file_sets():
    from include.settings import read_settings

    environment = DEFAULT_SERVICES["airflow-worker"]["environment"]
    settings = read_settings({name: value or "" for name, value in environment.items()})
    assert settings.engine == "duckdb"
    assert (settings.landing_url, settings.lake_url) == ("s3://mulgil-landing", "s3://mulgil-lake")
    assert settings.s3_endpoint == "http://store:9000"
    assert not settings.is_demo_reviewer_on


def test_answers_are_taken_at_the_named_address_and_only_named_proxies_are_believed():
    server = DEFAULT_SERVICES["airflow-api-server"]
    environment = server["environment"]
    assert environment["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8080"
    assert "--proxy-headers" in server["command"]
    assert environment["FORWARDED_ALLOW_IPS"] == "127.0.0.1"
    written = SERVICES["airflow-api-server"]["environment"]
    names = ("AIRFLOW__API__BASE_URL", "MULGIL_PAGE_ORIGINS", "FORWARDED_ALLOW_IPS")
    template = (compose.REPOSITORY / ".env.example").read_text(encoding="utf-8")
    for name in names:
        assert f"# {written[name].removeprefix('${').partition(':')[0]}=" in template


def test_every_airflow_variable_is_an_option_of_the_installed_airflow():
    unknown = compose.unknown_airflow_options(compose.environment_names(SERVICES, "AIRFLOW__"))
    assert unknown == []


def test_an_airflow_variable_that_does_not_exist_is_found_among_good_ones():
    names = {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__EXECUTER", "AIRFLOW__CELLERY__BROKER_URL"}
    assert compose.unknown_airflow_options(names) == ["AIRFLOW__CELLERY__BROKER_URL", "AIRFLOW__CORE__EXECUTER"]


def test_every_airflow_variable_of_the_embedded_stack_is_an_option_too():
    text = (compose.REPOSITORY / "scripts" / "stack" / "airflow.py").read_text(encoding="utf-8")
    used = set(re.findall(r"\bAIRFLOW__[A-Z0-9_]+__[A-Z0-9_]+\b", text))
    assert len(used) > 10
    assert compose.unknown_airflow_options(used) == []


def test_every_local_path_exists():
    paths = compose.local_paths(SERVICES)
    assert len(paths) >= 5
    assert [path for path in paths if not (compose.REPOSITORY / path).exists()] == []


def test_every_path_that_an_image_copies_exists():
    for dockerfile, context in (("docker/airflow/Dockerfile", "."), ("docker/superset/Dockerfile", "docker/superset")):
        copied = re.findall(r"^COPY (\S+) \S+$", (compose.REPOSITORY / dockerfile).read_text(), re.MULTILINE)
        assert copied
        assert [path for path in copied if not (compose.REPOSITORY / context / path).exists()] == []


def test_the_engine_is_sent_what_images_copy_and_nothing_else():
    ignored = (compose.REPOSITORY / ".dockerignore").read_text().splitlines()
    copied = re.findall(
        r"^COPY (\S+) \S+$", (compose.REPOSITORY / "docker/airflow/Dockerfile").read_text(), re.MULTILINE
    )
    assert "*" in ignored
    assert sorted(line.removeprefix("!") for line in ignored if line.startswith("!")) == sorted(copied)


def test_no_container_asks_for_more_processors_than_a_small_machine_has():
    limits = {name: service["deploy"]["resources"]["limits"]["cpus"] for name, service in SERVICES.items()}
    assert {name for name, cpus in limits.items() if float(cpus) > 2} == set()
