# `make` alone lists what there is. Everything is installed into .venv; nothing outside this folder
# is changed.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
export DBT_PROFILES_DIR ?= $(CURDIR)
# Models that are built on demand are linted too; the templater needs a database, not yours.
LINTED := IS_EVALUATION_ENABLED=true DUCKDB_PATH=:memory:

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@echo "customer_insights: purchase intent from a shop's sessions, as a dbt project"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: build
build: $(VENV)/local profiles.yml ## install, run the whole project, sum up; DATA=path loads your files first
	@$(BIN)/python -m customer_insights build $(if $(DATA),--data "$(DATA)")

.PHONY: test
test: $(VENV)/dev profiles.yml ## install what tests need, and run them all
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

.PHONY: lint
lint: $(VENV)/dev profiles.yml ## check the style of SQL, Python and YAML, and the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(LINTED) $(BIN)/sqlfluff lint .

.PHONY: format
format: $(VENV)/dev profiles.yml ## put SQL and Python in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(LINTED) $(BIN)/sqlfluff fix .

.PHONY: docs
docs: $(VENV)/local profiles.yml ## write the documentation site into target/
	$(BIN)/dbt docs generate --warn-error
	@echo "Now type: $(BIN)/dbt docs serve"

.PHONY: evaluate
evaluate: $(VENV)/local profiles.yml ## measure the training recipe many times (slow); DATA=path as for build
	@$(BIN)/python -m customer_insights evaluate $(if $(DATA),--data "$(DATA)")

.PHONY: bench
bench: $(VENV)/local profiles.yml ## compare with a plain script at a million sessions (slow)
	@$(BIN)/python benchmarks/run.py

.PHONY: clean
clean: ## delete what was built: databases, logs, caches and the virtual environment
	rm -rf $(VENV) target logs build dbt_packages .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf src/*.egg-info customer_insights.duckdb customer_insights.duckdb.wal
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

profiles.yml:
	@cp profiles.example.yml profiles.yml
	@echo "Made profiles.yml from profiles.example.yml."

$(VENV)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11, or name yours: make PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/local: $(VENV)/python constraints.txt pyproject.toml
	@echo "Installing dbt, DuckDB and XGBoost into $(VENV) (a minute or so, once) ..."
	@$(PIP) --editable '.[local]'
	@touch $@

$(VENV)/dev: $(VENV)/local
	@echo "Installing what tests and checks need ..."
	@$(PIP) --editable '.[local,dev]'
	@touch $@
