# All tasks of this project. `make help` lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The deployed runtime is Python 3.13: used where the machine has it, on PATH or under pyenv; else any Python from 3.11 on.
PYTHON ?= $(shell for python in python3.13 "$$(pyenv root 2>/dev/null)"/versions/3.13.*/bin/python3.13 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
# Deployed code is built with the runtime's Python version.
RUNTIME_PYTHON ?= $(shell for python in python3.13 "$$(pyenv root 2>/dev/null)"/versions/3.13.*/bin/python3.13; do \
	"$$python" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)
GET_PYTHON := pyenv install 3.13, brew install python@3.13, or the package python3.13 (with python3.13-venv) of your system
GET_NODE := brew install node, or the packages nodejs and npm of your system
GET_DOCKER := Docker Desktop, or the package docker.io of your system; then start it
VENV := .venv
PARALLEL := -n auto
DEFAULT_TESTS := not sam and not clients and not fuzz
BIN := $(VENV)/bin
SAM := SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam
UV := UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true .venv-uv/bin/uv
# Extras stay in the lists: without them, pip in --require-hashes mode looks for the newest release instead of the pinned one.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras
# Make a virtual environment in one shell, so that bash's SECONDS measures the whole step. Arguments: folder, Python; the first
# prerequisite is the list to install. uv doesn't read pip's settings: where only pip knows the index, pip installs the list.
define make_environment
set -e; $(UV) venv --quiet --clear --python "$(2)" $(1); \
$(UV) pip install --quiet --python $(1)/bin/python --require-hashes --requirement $< || { \
echo "uv could not install $<; trying pip, which takes longer" >&2; \
.venv-uv/bin/python -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check --require-hashes --requirement $<; }; \
touch $@; echo "installed $< in $(1) in $$SECONDS s"
endef

.venv-uv/ready: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing. Install it: $(GET_PYTHON)" >&2; exit 1; }
	@set -e; "$(PYTHON)" -m venv --clear .venv-uv; \
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<; \
	touch $@; echo "installed uv with $(PYTHON) in $$SECONDS s"

$(VENV)/ready: requirements/dev.txt .venv-uv/ready
	@$(call make_environment,$(VENV),$(PYTHON))

.venv-%/ready: requirements/%.txt .venv-uv/ready
	@test -n "$(RUNTIME_PYTHON)" || { echo "python3.13 is missing. Install it: $(GET_PYTHON)" >&2; exit 1; }
	@$(call make_environment,.venv-$*,$(RUNTIME_PYTHON))

.PHONY: help
help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: start
start: $(VENV)/ready ## run everything locally at http://127.0.0.1:3000
	@exec $(BIN)/python -m local

.PHONY: test
test: lint pytest ## run all checks

.PHONY: check
check: lint ## lint, type-check and run the tests that start no process, browser or server
	@$(BIN)/pytest $(PARALLEL) -m "$(DEFAULT_TESTS) and not external"

.PHONY: coverage
coverage: $(VENV)/ready ## run all tests and check that they cover functions/
	@$(BIN)/pytest $(PARALLEL) --cov --cov-report=term:skip-covered

# Words that the style replaces: again, alternating, exactly, callback, module, soak run, they and so on. See docs/contributing.md.
RETIRED_WORDS := anew|befall(s|en)?|by turns|to the letter|way back|rooms|ones own|of ours|long forms?|whoever|in vain|she|hers?

.PHONY: lint
lint: $(VENV)/ready ## check style, types, words, template, openapi.json and workflows
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/cfn-lint template.yaml
	@$(BIN)/zizmor --offline --quiet --no-progress .github/workflows
	@! git grep -nwIiE '$(RETIRED_WORDS)' -- . ':!Makefile' ':!clients/package-lock.json' || { echo "Reword these lines, see docs/contributing.md" >&2; exit 1; }
	@output=$$($(BIN)/openapi-spec-validator openapi.json) || { echo "$$output"; exit 1; }

clients/node_modules/ready: clients/package-lock.json clients/.npmrc
	@command -v npm >/dev/null || { echo "Node.js with npm is missing. Install it: $(GET_NODE)" >&2; exit 1; }
	@cd clients && npm ci --ignore-scripts --silent
	@touch $@

.PHONY: lint-openapi
lint-openapi: clients/node_modules/ready ## check the style of openapi.json with Spectral (needs Node.js)
	@clients/node_modules/.bin/spectral lint --ruleset clients/.spectral.yaml --quiet --fail-severity hint openapi.json

.PHONY: openapi
openapi: $(VENV)/ready ## regenerate openapi.json
	@$(BIN)/python -m local.openapi

clients/swift/ready clients/kotlin/ready clients/typescript/ready: clients/%/ready: openapi.json clients/%.yaml clients/generator-ignore $(wildcard clients/templates/*/*) .venv-clients/ready
	@rm -rf clients/$*
	@output=$$(JAVA_OPTS=-Dlog.level=warn .venv-clients/bin/openapi-generator-cli generate --config clients/$*.yaml --ignore-file-override clients/generator-ignore 2>&1) || { echo "$$output"; exit 1; }
	@touch $@

clients/typescript/dist/ready: clients/typescript/ready clients/node_modules/ready
	@clients/node_modules/.bin/tsc --project clients/typescript
	@touch $@

.PHONY: clients
clients: clients/swift/ready clients/kotlin/ready clients/typescript/dist/ready ## generate clients in Swift, Kotlin and TypeScript (needs Node.js)

.PHONY: test-clients
test-clients: $(VENV)/ready clients ## test the TypeScript client (needs Node.js)
	@clients/node_modules/.bin/tsc --project tests/clients
	@$(BIN)/pytest -m clients

.PHONY: pytest
pytest: $(VENV)/ready ## run all tests, or some of them [ARGS="-k accounts"]
	@$(BIN)/pytest $(or $(ARGS),$(PARALLEL))

.PHONY: screenshots
screenshots: $(VENV)/ready ## retake the README's screenshots (needs Chromium)
	@mkdir -p docs/images
	@PICTURES=docs/images $(BIN)/pytest tests/demo/test_looks.py -k complete_account

EXAMPLES ?= 10000
.PHONY: fuzz
fuzz: $(VENV)/ready .venv-fuzz/ready ## fuzz the local stack and all properties [EXAMPLES=400]
	@EXAMPLES=$(EXAMPLES) $(BIN)/pytest -m fuzz
	@EXAMPLES=$(EXAMPLES) $(BIN)/pytest -m "hypothesis and not fuzz" --hypothesis-profile=long

.PHONY: tables
tables: $(VENV)/ready ## update the tables of docs/reliability.md and docs/security.md
	@TABLES=write $(BIN)/pytest tests/test_faults.py tests/test_security_page.py

SOAK_SECONDS ?= 1800
KILLS ?= 500
.PHONY: soak
soak: $(VENV)/ready ## run long fault tests; update docs/reliability.md [SOAK_SECONDS=60]
	@$(BIN)/python -m tests.soak_cli $(SOAK_SECONDS) $(KILLS)

.PHONY: mutate
mutate: .venv-mutate/ready ## mutation-test the security-critical modules [ARGS="*settings*"]
	@rm -rf .mutate && mkdir .mutate && cp -r functions .mutate/src
	@cp -r docs events local tests openapi.json pyproject.toml template.yaml .mutate
	@cd .mutate && ../.venv-mutate/bin/mutmut run --max-children 2 $(ARGS) >mutate.log || { cat mutate.log; exit 1; }
	@tr '\r' '\n' <.mutate/mutate.log | grep 🎉 | tail -1; cd .mutate && ../.venv-mutate/bin/mutmut results | grep -v 'not checked'

.PHONY: audit
audit: .venv-audit/ready ## check pinned packages for known vulnerabilities (needs the network)
	@for list in functions/requirements.txt requirements/*.txt; do .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$list || exit 1; done

.PHONY: bench
bench: $(VENV)/ready ## measure speed and memory, as ratios
	@$(MAKE) --no-print-directory build ARCHITECTURE=$(HERE)
	@$(BIN)/python -m bench

# 116: API Gateway waits for each response, so there is no dead-letter queue. 117: functions call only public HTTPS endpoints, so they
# need no VPC. 173: no environment variable is secret.
CHECKOV_SKIPS := CKV_AWS_116,CKV_AWS_117,CKV_AWS_173
.PHONY: validate
validate: .venv-sam/ready .venv-checkov/ready ## check the template with the SAM CLI and checkov
	@$(SAM) validate --lint
	@.venv-checkov/bin/checkov --file template.yaml --quiet --compact --skip-download --skip-check $(CHECKOV_SKIPS)

ARCHITECTURE ?= arm64
.PHONY: build
build: .venv-sam/ready ## build the artefact with bytecode [ARCHITECTURE=x86_64]
	@set -o pipefail; PATH="$(dir $(RUNTIME_PYTHON)):$$PATH" $(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE) \
	| sed '/^Commands you can use next/,$$d'
	@"$(RUNTIME_PYTHON)" -P local/artefact.py .aws-sam/build $(ARCHITECTURE) 3.13 samconfig.toml
	@echo "next: make deploy (STAGE=dev, or another of samconfig.toml); see docs/deploy.md"

STAGE ?= dev
GUARD ?= true
# Release contains the time, so each deployment publishes new versions, and one that was rolled back can be repeated unchanged.
.PHONY: deploy
deploy: .venv-sam/ready ## deploy the artefact and smoke-test it [STAGE=prod] [GUARD=false]
	@test -f .aws-sam/build/release.yaml || { echo "make build comes first" >&2; exit 1; }
	@printf "Release: '%s-%s'\nErrorsAlarmGuard: '%s'\n" "$$(cut -d "'" -f 2 .aws-sam/build/release.yaml)" "$$(date -u +%Y%m%d%H%M%S)" \
	"$(GUARD)" >.aws-sam/build/deployment.yaml
	@$(SAM) deploy --config-env $(STAGE) $(DEPLOY_ARGS)
	@$(if $(filter prod,$(STAGE)),.venv-sam/bin/python -m local.stage protect $(STAGE))
	@$(MAKE) --no-print-directory smoke

.PHONY: smoke
smoke: .venv-sam/ready ## smoke-test a deployed API [STAGE=prod] [URL=https://…]
	@url="$(URL)"; test "$$url" || url=$$(.venv-sam/bin/python -m local.stage url $(STAGE)) && .venv-sam/bin/python -m local.smoke "$$url"

.PHONY: delete
delete: .venv-sam/ready ## delete a stage except its records, key and secrets [STAGE=prod]
	@$(SAM) delete --config-env $(STAGE)

HERE := $(if $(filter x86_64 AMD64,$(shell uname -m)),x86_64,arm64)
.PHONY: sam-local
sam-local: $(VENV)/ready ## run the artefact by `sam local start-api` (needs Docker)
	@test -n "$$HOST_ADDRESS" || command -v docker >/dev/null || { echo "Docker is missing. Install it: $(GET_DOCKER)" >&2; exit 1; }
	@$(MAKE) --no-print-directory build ARCHITECTURE=$(HERE)
	@exec env SAM_CLI_TELEMETRY=0 $(BIN)/python -m local.sam .venv-sam/bin/sam start-api --warm-containers LAZY $(SAM_LOCAL_ARGS)

.PHONY: test-sam
test-sam: $(VENV)/ready ## test with the real SAM CLI (needs a container engine)
	@$(BIN)/python -c 'from local.sam import bridge_address; bridge_address()'
	@$(MAKE) --no-print-directory validate build ARCHITECTURE=$(HERE)
	@SAM_LOCAL_ARGS="$(SAM_LOCAL_ARGS)" $(BIN)/pytest -m sam

.PHONY: format
format: $(VENV)/ready ## format the code
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: lock
lock: .venv-uv/ready ## pin the newest releases that pyproject.toml allows
	@$(COMPILE) --upgrade --group uv --output-file requirements/uv.txt
	@$(COMPILE) --upgrade pyproject.toml --output-file functions/requirements.txt
	@$(COMPILE) --upgrade pyproject.toml --group dev --constraint functions/requirements.txt --output-file requirements/dev.txt
	@$(COMPILE) --upgrade --group sam --output-file requirements/sam.txt
	@$(COMPILE) --upgrade --group checkov --output-file requirements/checkov.txt
	@$(COMPILE) --upgrade --group clients --output-file requirements/clients.txt
	@$(COMPILE) --upgrade --group fuzz --output-file requirements/fuzz.txt
	@$(COMPILE) --upgrade pyproject.toml --group mutate --constraint requirements/dev.txt --output-file requirements/mutate.txt
	@$(COMPILE) --upgrade --group audit --output-file requirements/audit.txt

.PHONY: check-requirements
check-requirements: ## resolve every requirements list with pip [PYTHON=python3.11]
	@set -e; rm -rf .venv-pip; "$(PYTHON)" -m venv .venv-pip; .venv-pip/bin/python -m pip --version; \
	for list in functions/requirements.txt requirements/*.txt; do \
	.venv-pip/bin/python -m pip install --quiet --disable-pip-version-check --dry-run --require-hashes --requirement $$list; done

.PHONY: clean
clean: ## remove all generated files
	@rm -rf $(VENV) .venv-* .aws-sam .coverage .hypothesis .mutate .mypy_cache .pytest_cache .ruff_cache clients/node_modules clients/swift clients/kotlin clients/typescript clients/tests
