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
	@echo "customer_insights: insights into a shop's customers, as a dbt project"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# What a build needs installed: DBT_TARGET=snowflake needs dbt-snowflake too.
TARGET_INSTALLED := $(VENV)/$(if $(filter snowflake,$(DBT_TARGET)),snowflake,local)

.PHONY: build
build: $(TARGET_INSTALLED) profiles.yml ## install, run the whole project, sum up; DATA=path loads your files first
	@$(BIN)/python -m customer_insights build $(if $(DATA),--data "$(DATA)")

# Files in their order: by number of tests, as pytest-xdist would have it, the longest would come last.
.PHONY: test
test: $(VENV)/dev profiles.yml ## install what tests need, and run all but the long ones
	@$(BIN)/python -m pytest -m 'not long' --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: test-long
test-long: $(VENV)/dev profiles.yml ## measure quality on public data and over many shops, and look twice
	@$(BIN)/python -m pytest -m long --numprocesses 2 --dist loadfile

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
	$(BIN)/python -m customer_insights.library name
	$(LINTED) $(BIN)/sqlfluff fix .

.PHONY: docs
docs: $(TARGET_INSTALLED) profiles.yml ## write the documentation site into target/, model cards included
	@$(BIN)/python -m customer_insights cards --if-built
	$(BIN)/dbt docs generate --warn-error
	@echo "Now type: $(BIN)/dbt docs serve"

.PHONY: cards
cards: $(TARGET_INSTALLED) profiles.yml ## write a page about each model that serves into build/model_cards/
	@$(BIN)/python -m customer_insights cards

.PHONY: evaluate
evaluate: $(VENV)/local profiles.yml ## measure the training recipe many times (slow); DATA=path as for build
	@$(BIN)/python -m customer_insights evaluate $(if $(DATA),--data "$(DATA)")

.PHONY: notify
notify: $(TARGET_INSTALLED) profiles.yml ## send alerts that were not sent yet to the webhook in ALERT_WEBHOOK_URL
	@$(BIN)/python -m customer_insights notify

.PHONY: tune
tune: $(VENV)/tuning profiles.yml ## search for parameters of MODEL=name, which the next build tries; DATA=path as for build
	@$(BIN)/python -m customer_insights tune $(if $(MODEL),--model "$(MODEL)") $(if $(DATA),--data "$(DATA)")

.PHONY: bench
bench: $(VENV)/local profiles.yml ## compare with plain scripts, at a million sessions, orders, texts, scores (slow)
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/customer_features.py
	@$(BIN)/python benchmarks/texts.py
	@$(BIN)/python benchmarks/monitoring.py
	@$(BIN)/python benchmarks/recommendations.py

.PHONY: deploy-snowflake
deploy-snowflake: $(VENV)/snowflake profiles.yml ## put the library on its Snowflake stage
	@DBT_TARGET=snowflake $(BIN)/python -m customer_insights deploy

.PHONY: pin-snowflake
pin-snowflake: $(VENV)/snowflake profiles.yml ## write the package versions of your Snowflake account into dbt_project.yml
	@$(BIN)/python -m customer_insights pin

# DuckDB's half of the comparison runs with the versions that Snowflake's channel has.
.PHONY: verify-snowflake
verify-snowflake: $(VENV)/snowflake profiles.yml ## prove the Snowflake target on your account (builds the sample there)
	@$(BIN)/python -m customer_insights verify --credentials-only
	@$(MAKE) --no-print-directory $(VENV)-channel/local
	@$(BIN)/python -m customer_insights verify --local-python $(VENV)-channel/bin/python

.PHONY: clean
clean: ## delete what was built: databases, logs, caches and the virtual environment
	rm -rf $(VENV) $(VENV)-channel target logs build dbt_packages .mypy_cache .pytest_cache .ruff_cache .hypothesis
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

$(VENV)/snowflake: $(VENV)/local
	@echo "Installing what the Snowflake target needs ..."
	@$(PIP) --editable '.[local,snowflake]'
	@touch $@

# Last, so that it is there beside whatever the target needs.
$(VENV)/tuning: $(TARGET_INSTALLED)
	@echo "Installing Optuna, which searches ..."
	@$(PIP) --editable '.[local,tuning]'
	@touch $@

$(VENV)-channel/local: constraints.txt pyproject.toml dbt_project.yml $(VENV)/local
	@echo "Installing dbt and DuckDB with the versions of Snowflake's channel into $(VENV)-channel ..."
	@$(PYTHON) -m venv $(VENV)-channel
	@$(BIN)/python -m customer_insights.packages > $(VENV)-channel/constraints.txt
	@$(VENV)-channel/bin/python -m pip install --quiet --disable-pip-version-check -c $(VENV)-channel/constraints.txt --editable '.[local]'
	@touch $@

$(VENV)/dev: $(VENV)/local
	@echo "Installing what tests and checks need ..."
	@$(PIP) --editable '.[local,snowflake,tuning,dev]'
	@touch $@
