# Mulgil's words. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
FORMAT ?= text
# Two workers fit two cores; MARK="not slow" leaves out what takes longer than five seconds.
WORKERS ?= 2
MARK ?= not thorough
# Passwords stand on a terminal, and in files or other programs only where somebody says SECRETS=1.
SECRETS ?=
TESTS ?= tests
ROUNDS ?= 20
SEED ?= 1
# Which problems make run carries to the end.
PROBLEMS ?=
# Of the decision service, and of the key that a program shows it.
PORT ?= 8090
SCOPES ?= evaluate,decide
# Of a newcomer's problem: a log, a name, and the column to predict.
FROM ?=
NAME ?=
LABEL ?=
ALSO ?=
# Of a backup, and the clear word for restoring over a home that holds something.
TO ?=
OVER ?=
# Where the home of the release before stays, so that the next upgrade-test begins there.
KEEP ?=
# Where the list of packages goes.
SBOM ?=

BIN := $(VENV)/bin
export MULGIL_VENV := $(VENV)
# Without bytecode every start of Airflow takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run up serve serve-key problem check-problem plan try down info doctor backup restore logs clean test thorough compose-test upgrade-test coverage check fmt results pictures dags schema warehouse datasets bench audit audit-deps fuzz lock env env-dev

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: env ## start everything, let the data flow, show what came out (PROBLEMS=all or name,name; three without)
	@$(BIN)/python -m scripts.stack run --problems "$(PROBLEMS)"

up: env ## start everything without the built-in problems: for your own
	@$(BIN)/python -m scripts.stack up

problem: env ## propose a problem file from a log: FROM=file (NAME=name, LABEL=column to predict, ALSO=files of its other logs)
	@$(BIN)/python -m scripts.propose_problem "$(FROM)" $(if $(NAME),--name "$(NAME)") $(if $(LABEL),--label "$(LABEL)") $(if $(ALSO),--also $(ALSO))

check-problem: env ## say without Airflow what a problem file would do (NAME=name, FROM=file)
	@$(BIN)/python -m scripts.check_problem "$(NAME)" $(if $(FROM),--from "$(FROM)")

plan: env ## say what experiments can find before anything is sent (PROBLEM=name; EXPERIMENT=, PER_DAY=, RATE=, LIFT=, UNITS=)
	@$(BIN)/python -m scripts.plan_experiment "$(PROBLEM)" $(if $(EXPERIMENT),--experiment "$(EXPERIMENT)") $(if $(PER_DAY),--per-day "$(PER_DAY)") $(if $(RATE),--rate "$(RATE)") $(if $(LIFT),--lift "$(LIFT)") $(if $(UNITS),--units "$(UNITS)")

try: env ## carry a problem from its files in landing to a model once, without Airflow (NAME=name)
	@$(BIN)/python -m scripts.try_problem "$(NAME)"

down: ## stop everything that make run started
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m scripts.stack down; else echo "Nothing runs."; fi

info: env ## show addresses and users (FORMAT=json for programs, SECRETS=1 with passwords and the owner)
	@$(BIN)/python -m scripts.stack info --format $(FORMAT) $(if $(SECRETS),--secrets)

doctor: env ## say what is wrong and what to press: disk, versions, servers, partitions, lake (FORMAT=json)
	@$(BIN)/python -m scripts.doctor --format $(FORMAT)

backup: env ## back up databases, lake, landing and models, also while all runs: TO=folder or file.tar
	@$(BIN)/python -m scripts.backup take "$(TO)"

restore: env ## put a backup back into an empty home: FROM=folder or file.tar (OVER=replace puts aside what is there)
	@$(BIN)/python -m scripts.backup restore "$(FROM)" --over "$(OVER)"

logs: env ## show the last lines of each server
	@$(BIN)/python -m scripts.stack logs

clean: env ## stop everything and remove its data; the environment stays
	@$(BIN)/python -m scripts.stack clean

test: env-dev ## run every test but the thorough ones (MARK="not slow and not thorough" for the quick, TESTS=path for some)
	@$(if $(COVERAGE),mkdir -p .coverage)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(if $(COVERAGE),--cov --cov-report=) -m "$(MARK)" $(TESTS)

thorough: env-dev ## run the tests that take minutes: Spark on a cluster, problems carried whole, steps killed at each of over a hundred places
	@$(MAKE) --no-print-directory test MARK=thorough

compose-test: env-dev ## start docker-compose.yaml for real, on images built here, and let the loop run (root, Docker)
	@$(BIN)/python -m scripts.compose_test --problems "$(PROBLEMS)"

upgrade-test: env-dev ## run the release before, then this one in its home: nothing may be lost (FROM=commit, KEEP=folder)
	@$(BIN)/python -m scripts.upgrade_test --from "$(FROM)" $(if $(KEEP),--keep "$(KEEP)")

coverage: env-dev ## run every test and write docs/coverage.md: which branches of include/ none takes (TESTS=path for some)
	@$(MAKE) --no-print-directory test COVERAGE=1
	@$(BIN)/python -m scripts.coverage_page

check: env-dev ## lint, format and types, as pre-commit and CI run them
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: env-dev ## put every file into the project's format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

serve: env ## answer live: which variant a unit gets, what a model says (PORT=8090); docs/serving.md
	@$(BIN)/python -m scripts.serve run --port $(PORT)

serve-key: env ## make a key for a program that asks (NAME=name, SCOPES=evaluate,decide)
	@$(BIN)/python -m scripts.serve key "$(NAME)" --scopes "$(SCOPES)"

results: env-dev ## write docs/results.md from the warehouse of the running stack
	@$(BIN)/python -m scripts.results

pictures: env-dev ## take the pictures in docs/pictures from the running stack
	@$(BIN)/python -m scripts.pictures

dags: env-dev ## write docs/dags.md from the DAGs' own pages
	@$(BIN)/python -m scripts.dags_page

schema: env-dev ## write include/problems/problem.schema.json, which editors check problem files with
	@$(BIN)/python -m scripts.problem_schema

warehouse: env-dev ## write docs/warehouse.md, the semantic model and dbt's files from the tables' and views' own comments
	@$(BIN)/python -m scripts.warehouse

datasets: env-dev ## rebuild the built-in problems' data from their packages
	@$(BIN)/python -m scripts.build_datasets

bench: env-dev ## measure, side by side with peers (NAMES="ingest audit" for some)
	@$(BIN)/python -m bench $(NAMES)

audit: env-dev ## put the checks that decide to the test on re-randomised history: they must fire as often as they say
	@$(BIN)/python -m bench.aa_audit

fuzz: env-dev ## break logs of every format at random, for longer (ROUNDS=20 SEED=1)
	@MULGIL_TEST_FUZZ_ROUNDS=$(ROUNDS) MULGIL_TEST_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup tests/include/lake/test_fuzz.py

audit-deps: env-dev ## list the licence of every locked package; SBOM=file writes what we are made of (CycloneDX)
	@$(BIN)/python -m scripts.audit_deps $(if $(SBOM),--sbom "$(SBOM)")

lock: env-dev ## resolve requirements*.in into the pinned requirements*.txt
	@$(BIN)/python -m scripts.lock

env:
	@$(PYTHON) scripts/bootstrap.py run

env-dev:
	@$(PYTHON) scripts/bootstrap.py dev
