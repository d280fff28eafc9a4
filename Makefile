# Everything a developer does. BROKER=kafka puts run, demo, test and bench on Apache Kafka; the default is the bundled Tansu.
# DRIVER=motor has the processes of run, demo, replay and bench reach MongoDB with Motor; the default is PyMongo's client.

PYTHON ?= python3
BROKER ?= tansu
DRIVER ?= $(or $(HUIQUN_MONGO_DRIVER),pymongo)
WORKERS ?= 3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
MEMBERS := libs/common services/moderation services/engagement services/crm-sync services/survey deploy
PROJECTS := pyproject.toml $(MEMBERS:%=%/pyproject.toml)
SOURCES := libs/common/src $(wildcard services/*/src) deploy/local deploy/checks demo tests $(wildcard benchmarks)
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
	--no-emit-package huiqun $(foreach name,moderation engagement crm-sync survey local,--no-emit-package huiqun-$(name))

ifeq ($(filter tansu kafka,$(BROKER)),)
$(error BROKER=$(BROKER) is unknown: it is tansu or kafka)
endif
export BROKER
# Many processes start here, and each would compile every module anew where the environment forbids to keep bytecode.
export PYTHONDONTWRITEBYTECODE :=
ifeq ($(filter pymongo motor,$(DRIVER)),)
$(error DRIVER=$(DRIVER) is unknown: it is pymongo or motor)
endif
export HUIQUN_MONGO_DRIVER := $(DRIVER)
BROKER_READY := $(if $(filter kafka,$(BROKER)),kafka)

.DEFAULT_GOAL := help
.PHONY: help setup run demo replay test soak check bench kafka lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: PYTHON=python3.11  BROKER=tansu|kafka  DRIVER=pymongo|motor  WORKERS=3 (for test)  MONGOD_BIN=/path/to/mongod"

setup: $(READY) ## make .venv with the locked dependencies and this repository's packages (again only if they changed)

$(READY): requirements-dev.lock $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Huiqun needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

run: setup $(BROKER_READY) ## start everything here and replay a day in three groups; stays up until Ctrl-C
	$(BIN)/python -m demo.run

demo: setup $(BROKER_READY) ## the same, then check what was decided and exit 0 or 1
	$(BIN)/python -m demo

replay: setup $(BROKER_READY) ## send FILE=<csv or jsonl> [COLUMN=<text column>] [RATE=<messages a second>] through it
	@test -n "$(FILE)" || { echo "Say what to send: make replay FILE=comments.csv COLUMN=text [RATE=500]"; exit 2; }
	$(BIN)/python -m local.replay "$(FILE)" $(if $(COLUMN),--column "$(COLUMN)") $(if $(RATE),--rate "$(RATE)")

test: setup $(BROKER_READY) ## run the tests; with BROKER=kafka those that touch a broker [ARGS=<for pytest>]
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(if $(filter kafka,$(BROKER)),-m broker) $(ARGS)

soak: setup $(BROKER_READY) ## what shows only after minutes, 2 hours in all [ONLY="S04 S08"] [DURATION=<seconds of each>]
	$(BIN)/python -m tests.soak $(ONLY) $(if $(DURATION),--duration $(DURATION))

check: setup ## lint, format, types, import rules, Compose file, schemas and house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/huiqun schemas check
	$(BIN)/python deploy/checks/house_rules.py

bench: setup $(BROKER_READY) ## measure, print a table and write benchmarks/results/
	$(BIN)/python -m benchmarks

kafka: setup ## fetch Apache Kafka with Maven (needs Java 17), for BROKER=kafka
	$(BIN)/python -m local fetch

lock: ## resolve the dependencies anew into the *.lock files, keeping the versions that still fit (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	$(LOCK) --group build pyproject.toml -o requirements.lock
	$(LOCK) --group dev --group bench -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove .venv, the fetched Kafka, caches and run data
	rm -rf $(VENV) .run deploy/local/kafka/target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
