# Everything that is done with this project. `make help` lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The deployed runtime is Python 3.13: used where the machine has it, on PATH or under pyenv; else any Python from 3.11 on.
PYTHON ?= $(shell for python in python3.13 "$$(pyenv root 2>/dev/null)"/versions/3.13.*/bin/python3.13 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

$(VENV)/ready: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: start
start: $(VENV)/ready ## start the whole service on this machine, at http://127.0.0.1:3000
	@exec $(BIN)/python -m local

.PHONY: test
test: lint pytest ## run all checks

.PHONY: lint
lint: $(VENV)/ready ## check style, types and the template
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/cfn-lint template.yaml

.PHONY: pytest
pytest: $(VENV)/ready ## run the tests; ARGS="-k accounts" chooses
	@$(BIN)/pytest $(ARGS)

.PHONY: bench
bench: $(VENV)/ready ## measure speed and memory, as ratios
	@$(BIN)/python -m bench

.PHONY: format
format: $(VENV)/ready ## bring the code into the project's style
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

.PHONY: lock
lock: $(VENV)/ready ## pin what pyproject.toml asks for, anew
	@$(COMPILE) --upgrade pyproject.toml --output-file functions/requirements.txt
	@$(COMPILE) --upgrade pyproject.toml --group dev --constraint functions/requirements.txt --output-file requirements-dev.txt

.PHONY: clean
clean: ## remove what was made
	@rm -rf $(VENV) .aws-sam .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
