# Every habit is a target. `make` lists them.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := UV_PYTHON_DOWNLOADS=never $(VENV)/bin/uv
EMULATOR := .local/emulator-venv
SERVICES := $(patsubst services/%/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --no-emit-package awsjson --no-emit-package faststream-sqs
DEPLOY := $(PY) -m deploy
ARGS ?=
# Processes that share the tests; one with ARGS=--pdb.
TESTERS ?= $(if $(findstring --pdb,$(ARGS)),0,2)
SHELL := bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

# Only what is said on make's own command line counts: a variable that the shell exports (YES=1 above all) has no effect.
given = $(if $(filter command,$(firstword $(origin $(1)))),$($(1)))
quoted = '$(subst ','\'',$(call given,$(1)))'
# $(call option,ORG,--org): the option with its value, or nothing.
option = $(if $(call given,$(1)),$(2) $(call quoted,$(1)))
# $(call flag,YES,--yes): for YES=1; nothing for YES=0 and without it.
flag = $(if $(filter-out 0 1,$(call given,$(1))),$(error say $(1)=1))$(if $(filter 1,$(call given,$(1))),$(2))
# $(call needed,SERVICE,tasks): the value, which must be given.
needed = $(if $(call given,$(1)),$(call quoted,$(1)),$(error say $(1)=$(2)))
on = $(filter 1,$(call given,$(1)))

.PHONY: help
help:
	@echo 'make TARGET [VARIABLE=value ...]'
	awk -F':.*## ' '/^##@ / {print substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- setting up: runs by itself before whatever needs it

$(VENV)/.ready: requirements.lock pyproject.toml awsjson/pyproject.toml faststream-sqs/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or newer, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	echo "Setting up the development environment in $(VENV) ..." >&2
	$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	$(UV) pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	$(UV) pip install --quiet --no-build-isolation --no-deps -e awsjson -e faststream-sqs
	touch $@

$(EMULATOR)/.ready: deploy/embedded/requirements.lock $(VENV)/.ready
	@echo "Setting up the embedded AWS in $(EMULATOR) ..." >&2
	$(PYTHON) -m venv --without-pip $(EMULATOR)
	$(UV) pip sync --quiet --compile-bytecode --python $(EMULATOR) --require-hashes deploy/embedded/requirements.lock
	touch $@

.PHONY: setup
setup: $(VENV)/.ready $(EMULATOR)/.ready

##@ Run (everything on this machine)

.PHONY: demo up down status logs service call
demo: setup ## play an organization's first day; ARGS=--json; AUTH=1: IAM
	@$(PY) -m examples.first_day $(ARGS)

up: setup ## start everything; RELOAD=1 restarts services when code changes
	@$(DEPLOY) up $(call flag,RELOAD,--reload)

down: setup ## stop everything; its state is kept
	@$(DEPLOY) down

status: setup ## show what runs; STAGE=dev: health, queues, alarms of a stage
	@$(DEPLOY) status $(stage_options)

logs: setup ## SERVICE=tasks: follow the log of a service
	@$(DEPLOY) logs $(call needed,SERVICE,tasks) --follow

service: setup ## NAME=tasks DO=start|stop|run: one service; run ARGS=--pdb
	@$(if $(filter run,$(call given,DO)),$(DEPLOY) run $(call needed,NAME,tasks) $(ARGS),$(DEPLOY) service $(call needed,NAME,tasks) $(call needed,DO,start))

call: setup ## CALL=/v1/projects [METHOD=] [BODY=]: one request, as an owner
	@$(PY) -m examples.call '$(or $(call given,METHOD),GET)' $(call needed,CALL,/v1/projects) $(call quoted,BODY)

##@ Check (and change)

.PHONY: check test ci format contracts e2e isolation verify new-service new-event generate lock
check: setup ## ruff, mypy, imports, scopes, secrets, stale files, cfn-lint
	@$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(PY) -m tests.architecture.scope_lint
	$(PY) -m tests.architecture.secret_scan
	$(PY) -m tests.architecture.anatomy
	$(PY) -m tests.architecture.language
	$(DEPLOY) contracts generate --check
	$(DEPLOY) contracts check >/dev/null
	$(DEPLOY) permissions --check
	$(DEPLOY) costs --check
	$(DEPLOY) check
	echo 'All checks passed.'

test: setup ## the tests; SLOW=1: those that take long; ARGS=tests/deploy
	@$(PY) -m pytest -q $(if $(call on,SLOW),-m slow,-m "not slow" -n $(TESTERS) --dist loadfile --no-loadscope-reorder) $(ARGS)

ci: check test ## everything that must hold before a change lands
	@$(MAKE) --no-print-directory test SLOW=1 ARGS=
	$(MAKE) --no-print-directory verify NAME=mutants ARGS=
	$(MAKE) --no-print-directory verify NAME=fuzz MINUTES=2 ARGS=
	$(MAKE) --no-print-directory verify NAME=chaos ARGS=

format: setup ## format the code and sort its imports
	@$(VENV)/bin/ruff check --fix --quiet . || true
	$(VENV)/bin/ruff format .

contracts: setup ## what a change of a contract breaks; BASE=origin/main
	@$(DEPLOY) contracts check $(call option,BASE,--base)

e2e: setup ## the first day on TARGET=ministack|localstack|url|aws
	@$(PY) -m tests.e2e $(call option,TARGET,--target) $(call option,AWS_ENDPOINT_URL,--endpoint) $(call flag,YES,--yes) \
	  $(call option,RUNTIME,--runtime) $(call option,ARCHITECTURE,--architecture) $(call option,LAMBDA_PYTHON,--python)

isolation: setup ## attack the walls between organizations; ARGS=tasks
	@$(verify-isolation)

# Programs that prove something. LONG=1 is the long run, where there is one.
verify-chaos = $(PY) -m verification.chaos $(if $(call on,LONG),--size long) $(call option,SEED,--seed) $(ARGS) $(if $(call on,LONG),&& $(PY) -m verification.chaos.malformed)
verify-dependencies = for lock in requirements.lock deploy/embedded/requirements.lock services/*/requirements.lock; do echo "$$lock:" && $(VENV)/bin/pip-audit -r $$lock --require-hashes --disable-pip --strict --progress-spinner off; done
verify-fairness = $(PY) -m verification.simulation.fairness
verify-fuzz = $(PY) -m verification.fuzz --minutes $(or $(call given,MINUTES),10) $(ARGS)
verify-isolation = $(PY) -m verification.isolation $(ARGS)
verify-latest = $(PY) faststream-sqs/tests/latest.py $(ARGS)
verify-mutants = $(PY) -m verification.mutants $(ARGS)
verify-privileges = $(PY) -m verification.privileges
verify-rolling = $(PY) -m verification.chaos.rolling $(ARGS)
verify-simulate = $(if $(call on,LONG),$(simulate-long),$(PY) -m verification.simulation $(call needed,SEED,7) $(steps))
steps = $(or $(call given,STEPS),50)
simulate-long = $(PY) -m verification.simulation $(or $(call given,SEED),0) $(steps) --seeds $(or $(call given,SEEDS),5000) && $(PY) -m verification.simulation --journeys 3 && $(PY) -m verification.simulation --bugs
PROOFS := chaos rolling simulate fuzz mutants privileges isolation fairness latest dependencies

verify: setup ## NAME=chaos|rolling|simulate|fuzz|mutants|privileges ... LONG=1
	@$(or $(verify-$(call given,NAME)),$(error say NAME=chaos; there are $(PROOFS)))

new-service: setup ## NAME=billing: the start of a service, with its tests
	@$(DEPLOY) new-service $(call needed,NAME,billing)

new-event: setup ## SERVICE=tasks EVENT=TaskArchived: model, examples, test
	@$(DEPLOY) contracts new-event $(call needed,SERVICE,tasks) $(call needed,EVENT,TaskArchived)

generate: setup ## schemas, documents, permissions, costs; SITE=1: the site too
	@$(DEPLOY) contracts generate
	$(DEPLOY) permissions
	$(DEPLOY) costs --write
	$(if $(call on,SITE),$(VENV)/bin/zensical build --clean)

lock: setup ## resolve every dependency again
	@$(COMPILE) --upgrade --group dev pyproject.toml services/*/pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade deploy/embedded/requirements.in -o deploy/embedded/requirements.lock
	$(COMPILE) --upgrade bench/peers.in -o bench/peers.lock
	for service in $(SERVICES); do
	  $(COMPILE) -c requirements.lock pyproject.toml faststream-sqs/pyproject.toml services/$$service/pyproject.toml -o services/$$service/requirements.lock
	done

##@ Deploy (STAGE=dev; ENDPOINT= of an embedded AWS; YES=1 does not ask)

stage_options = $(call option,STAGE,--stage) $(call option,ENDPOINT,--endpoint) $(call flag,YES,--yes) \
  $(call flag,ALLOW_REPLACE,--allow-replace) $(call flag,RECREATE,--recreate) $(call flag,ADOPT,--adopt) \
  $(call option,RUNTIME,--runtime) $(call option,ARCHITECTURE,--architecture) $(call option,LAMBDA_PYTHON,--python) \
  $(call flag,SNAPSTART,--snapstart) $(call option,CANARY,--canary) $(call option,CANARY_MINUTES,--canary-minutes) \
  $(if $(filter 0,$(call given,BUNDLE_BOTO3)),--no-boto3) $(call flag,TREE_SHAKING,--tree-shaking)
in_stage = $(if $(call needed,STAGE,dev),$(stage_options))

.PHONY: deploy deploy-service diff rollback destroy restore
deploy: setup ## the platform and every service; ADOPT=1 takes over kept tables
	@$(DEPLOY) deploy $(in_stage)

deploy-service: setup ## SERVICE=: one service; ALLOW_REPLACE=1, RECREATE=1
	@$(DEPLOY) deploy-service $(call needed,SERVICE,tasks) $(in_stage)

diff: setup ## SERVICE=: what deploying would change
	@$(DEPLOY) diff $(call needed,SERVICE,tasks) $(in_stage)

rollback: setup ## SERVICE=: back to the healthy release before
	@$(DEPLOY) rollback $(call needed,SERVICE,tasks) $(in_stage)

destroy: setup ## delete a stage's stacks; WITH_DATA=1: and its data
	@$(DEPLOY) destroy $(in_stage) $(call flag,WITH_DATA,--with-data)

restore: setup ## SERVICE= AT=2026-11-21T09:00:00Z: its table as it was; TABLE=
	@$(DEPLOY) restore $(call needed,SERVICE,tasks) $(in_stage) $(call option,AT,--at) $(call option,TABLE,--table)

##@ Operate (STAGE=dev, or what `make up` runs; YES=1 does not ask)

operator_options = $(call option,STAGE,--stage) $(call option,ENDPOINT,--endpoint) $(call flag,YES,--yes)
subscription = $(call needed,SUBSCRIPTION,notify.assignments)
selection = $(call option,ORG,--org) $(call option,TYPE,--type) $(call option,CAUSE,--cause)

.PHONY: dlq redrive replay rebuild
dlq: setup ## dead letters; SUBSCRIPTION=: each; DROP=1 REASON=: give up
	@$(if $(call on,DROP),$(DEPLOY) dlq-drop $(subscription) --reason $(call needed,REASON,'a test order') $(selection),\
	  $(if $(call given,SUBSCRIPTION),$(DEPLOY) dlq-show $(subscription) $(selection) $(ARGS),$(DEPLOY) dlq)) $(operator_options)

redrive: setup ## SUBSCRIPTION= [ORG=] [TYPE=] [CAUSE=] [EDIT=]: send back
	@$(DEPLOY) redrive $(subscription) $(selection) $(call option,EDIT,--edit) $(call option,RATE,--rate) $(operator_options)

replay: setup ## SERVICE= SUBSCRIPTION= [FROM=] [TO=]: history to a consumer
	@$(DEPLOY) replay $(call needed,SERVICE,notify) $(subscription) $(call option,ORG,--org) $(call option,TYPE,--type) \
	  $(call option,FROM,--from) $(call option,TO,--to) $(call option,RATE,--rate) $(call flag,WITH_EFFECTS,--with-effects) $(operator_options)

rebuild: setup ## SERVICE= SUBSCRIPTION=: a projection anew; SWAP=1, DROP=1
	@$(DEPLOY) rebuild $(call needed,SERVICE,analytics) $(subscription) $(call flag,SWAP,--swap) $(call flag,DROP,--drop) $(operator_options)

##@ Measure

bench-broker = $(PY) -m bench.broker $(ARGS)
bench-costs = $(DEPLOY) costs
bench-deploy = $(PY) -m bench.deploying $(ARGS)
bench-flood = $(PY) -m bench.flood $(ARGS)
bench-guard = $(PY) -m bench.guard $(ARGS)
bench-neighbours = $(PY) -m bench.neighbours $(ARGS)
MEASUREMENTS := broker flood neighbours guard deploy costs

.PHONY: bench
bench: setup ## NAME=broker|flood|neighbours|guard|deploy|costs; ARGS=
	@$(or $(bench-$(call given,NAME)),$(error say NAME=flood; there are $(MEASUREMENTS)))
