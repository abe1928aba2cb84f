# Every habit is a target. `make` lists them.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := UV_PYTHON_DOWNLOADS=never $(VENV)/bin/uv
EMULATOR := .local/emulator-venv
SERVICES := $(patsubst services/%/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --no-emit-package awsjson --no-emit-package faststream-sqs
ARGS ?=
# Processes that share the tests; one with ARGS=--pdb.
TESTERS ?= $(if $(findstring --pdb,$(ARGS)),0,2)
SHELL := bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
setup: $(VENV)/.ready $(EMULATOR)/.ready ## set up both environments (the other targets do it themselves)

# --- running

.PHONY: demo
demo: setup ## play an organization's first day; ARGS="--json", ARGS="--input DIR", AUTH=1 with IAM enforced
	@$(PY) -m examples.first_day $(ARGS)

.PHONY: up down logs status
up: setup ## start everything on this machine; RELOAD=1 restarts a service when its code changes
	@$(PY) -m deploy.local up $(if $(RELOAD),--reload)

down: setup ## stop it; its state is kept
	@$(PY) -m deploy.local down

logs: setup ## SERVICE=tasks: follow a service's log
	@$(PY) -m deploy.local logs $(or $(SERVICE),$(error say SERVICE=tasks)) --follow

status: setup ## what runs on this machine; STAGE= [ENDPOINT=]: versions, health, queues, dead letters, alarms of a stage
	@$(if $(STAGE),$(stage) status,$(PY) -m deploy.local status)

.PHONY: start-service stop-service run-service
start-service: setup ## SERVICE=tasks: start one service again
	@$(PY) -m deploy.local service $(or $(SERVICE),$(error say SERVICE=tasks)) start

stop-service: setup ## SERVICE=tasks: stop one service while the others run
	@$(PY) -m deploy.local service $(or $(SERVICE),$(error say SERVICE=tasks)) stop

run-service: setup ## SERVICE=tasks: run one service in this terminal instead; ARGS=--pdb for the debugger
	@$(PY) -m deploy.local run $(or $(SERVICE),$(error say SERVICE=tasks)) $(ARGS)

.PHONY: call
call: setup ## CALL=/v1/projects METHOD=POST BODY='{...}': one call to what runs, as somebody with an organization
	@$(PY) -m examples.call '$(or $(METHOD),GET)' '$(or $(CALL),$(error say CALL=/v1/projects))' '$(BODY)'

# --- checking

.PHONY: test
test: setup ## the tests, those on the embedded AWS included
	@$(PY) -m pytest -q -m "not slow" -n $(TESTERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-slow
test-slow: setup ## the tests that take long: packages that install alone, command lines, floods
	@$(PY) -m pytest -q -m slow $(ARGS)

.PHONY: ci
ci: check test test-slow mutants ## all that must hold before a change lands
	@$(MAKE) --no-print-directory fuzz MINUTES=2 ARGS=
	$(MAKE) --no-print-directory chaos ARGS=

.PHONY: e2e
e2e: setup ## TARGET=ministack|localstack|url|aws: the first day against it; url: AWS_ENDPOINT_URL=, aws: YES=1
	@$(PY) -m tests.e2e

.PHONY: isolation
isolation: setup ## attack the walls between organizations, with a table; ARGS=tasks for one service
	@$(PY) -m verification.isolation $(ARGS)

.PHONY: privileges
privileges: setup ## play the day with IAM enforced: what is granted and used, granted and unused, used and not granted
	@$(PY) -m verification.privileges

.PHONY: fuzz
fuzz: setup ## MINUTES=10: generated and hostile requests to every service; ARGS="tasks --seed 7"
	@$(PY) -m verification.fuzz --minutes $(or $(MINUTES),10) $(ARGS)

.PHONY: fairness
fairness: setup ## how long a quiet organization waits beside a flooding one, by queue and by worker
	@$(PY) -m verification.simulation.fairness

.PHONY: mutants
mutants: setup ## plant known bugs in a copy, one by one: a test must notice each; ARGS=inbox
	@$(PY) -m verification.mutants $(ARGS)

.PHONY: simulate simulate-long
simulate: setup ## SEED=7 STEPS=50: replay one simulation of the whole system and tell its steps
	@$(PY) -m verification.simulation $(or $(SEED),$(error say SEED=7)) $(or $(STEPS),50)

simulate-long: setup ## thousands of seeds, the day with every fault at every call, every planted bug
	@$(PY) -m verification.simulation $(or $(SEED),0) $(or $(STEPS),50) --seeds $(or $(SEEDS),5000)
	$(PY) -m verification.simulation --journeys 3
	$(PY) -m verification.simulation --bugs

.PHONY: chaos chaos-long rolling
chaos: setup ## real processes killed, frozen, throttled and poisoned behind a fault proxy; SEED=7 ARGS=--json
	@$(PY) -m verification.chaos $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos-long: setup ## the same for ten minutes, with 500 kills; and a thousand malformed messages
	@$(PY) -m verification.chaos --size long $(if $(SEED),--seed $(SEED)) $(ARGS)
	$(PY) -m verification.chaos.malformed

rolling: setup ## 20 restarts of every service under load: nothing lost, nothing twice; ARGS="--rounds 3"
	@$(PY) -m verification.chaos.rolling $(ARGS)

.PHONY: check
check: setup ## ruff, mypy --strict, import-linter, the scope rule, secrets, stale generated files
	@$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(PY) -m tests.architecture.scope_lint
	$(PY) -m tests.architecture.secret_scan
	$(PY) -m deploy.contracts generate --check
	$(PY) -m deploy.contracts check >/dev/null
	$(PY) -m deploy.checks.permissions --check
	$(PY) -m deploy.checks.costs --check
	$(PY) -m deploy.checks.check

.PHONY: audit-deps
audit-deps: setup ## known vulnerabilities of every locked package; needs the network
	@for lock in requirements.lock deploy/embedded/requirements.lock services/*/requirements.lock; do
	  echo "$$lock:" && $(VENV)/bin/pip-audit -r $$lock --require-hashes --disable-pip --strict --progress-spinner off
	done

.PHONY: contracts
contracts: setup ## what a change of a contract breaks, and for whom; BASE=origin/main
	@$(PY) -m deploy.contracts check $(if $(BASE),--base $(BASE))

.PHONY: format
format: setup ## format the code and sort its imports
	@$(VENV)/bin/ruff check --fix --quiet . || true
	$(VENV)/bin/ruff format .

.PHONY: test-latest
test-latest: setup ## the SQS broker against the newest FastStream: what broke; ARGS="--version 0.8.1", ARGS="--pre"
	@$(PY) faststream-sqs/tests/latest.py $(ARGS)

.PHONY: bench-broker
bench-broker: setup ## what the broker and its client cost; ARGS="consumer --rounds 9"
	@$(PY) -m bench.broker $(ARGS)

.PHONY: bench-flood
bench-flood: setup ## 20 000 events into one subscription: the API's p95 and the memory meanwhile; ARGS="--events 2000"
	@$(PY) -m bench.flood $(ARGS)

.PHONY: bench-neighbours
bench-neighbours: setup ## one organization's flood of requests: the others' p95 beside it and alone; ARGS="--rate 100"
	@$(PY) -m bench.neighbours $(ARGS)

.PHONY: bench-guard
bench-guard: setup ## CPU that auth, scope, rate limit and idempotency add to a read, measured in process; ARGS="--rounds 3"
	@$(PY) -m bench.guard $(ARGS)

.PHONY: bench-deploy
bench-deploy: setup ## sizes of packages, imports of entry points, seconds of deployments; ARGS=imports for one section
	@$(PY) -m bench.deploying $(ARGS)

# --- operating a stage, on AWS or with ENDPOINT= on an embedded one
DEPLOY := $(PY) -m deploy.cli
stage = STAGE=$(or $(STAGE),$(error say STAGE=dev)) $(DEPLOY)
of_service = SERVICE=$(or $(SERVICE),$(error say SERVICE=tasks)) $(stage)

.PHONY: deploy deploy-service diff rollback destroy
deploy: setup ## STAGE= [ENDPOINT=] [YES=1] [ADOPT=1]: the platform and every service
	@$(stage) deploy

deploy-service: setup ## SERVICE= STAGE= [ENDPOINT=] [YES=1] [ALLOW_REPLACE=1] [RECREATE=1]: one service, seen first
	@$(of_service) deploy-service

diff: setup ## SERVICE= STAGE=: what deploying would change
	@$(of_service) diff

rollback: setup ## SERVICE= STAGE=: back to the healthy release before
	@$(of_service) rollback

destroy: setup ## STAGE= [WITH_DATA=1]: delete a stage's stacks; its data stays (ADOPT=1 takes it over again) or goes too
	@$(stage) destroy

.PHONY: restore
restore: setup ## SERVICE= STAGE= AT=2026-11-21T09:00:00Z [ENDPOINT=]: its table as it was, beside the present one; then swap
	@$(of_service) restore

.PHONY: costs
costs: setup ## what a stage costs at rest and for each million events, and its quotas, from the templates
	@$(PY) -m deploy.checks.costs

# --- dead letters: of a stage, or without STAGE= of what `make up` runs
LETTERS := $(PY) -m deploy.dead_letters
of_subscription = SUBSCRIPTION=$(or $(SUBSCRIPTION),$(error say SUBSCRIPTION=notify.assignments)) $(LETTERS)

.PHONY: dlq dlq-show redrive dlq-drop
dlq: setup ## [STAGE=] [ENDPOINT=]: the dead letters of every subscription, and why they died
	@$(LETTERS) dlq

dlq-show: setup ## SUBSCRIPTION= [ORG=] [TYPE=] [CAUSE=] [ARGS=--json]: each letter, its error, its trace
	@$(of_subscription) dlq-show $(ARGS)

redrive: setup ## SUBSCRIPTION= [ORG=] [TYPE=] [CAUSE=] [EDIT=] [RATE=] [YES=1]: send letters back, seen first
	@$(of_subscription) redrive

dlq-drop: setup ## SUBSCRIPTION= REASON= [ORG=] [TYPE=] [CAUSE=] [YES=1]: give letters up; audit keeps why
	@: $(or $(REASON),$(error say REASON='why they are given up'))
	$(of_subscription) dlq-drop

.PHONY: replay
replay: setup ## SERVICE= SUBSCRIPTION= [ORG=] [TYPE=] [FROM=] [TO=] [WITH_EFFECTS=1] [YES=1]: history into one consumer
	@: $(or $(SERVICE),$(error say SERVICE=notify))
	$(of_subscription) replay

.PHONY: rebuild
rebuild: setup ## SERVICE= SUBSCRIPTION= [SWAP=1] [DROP=1] [YES=1]: a projection anew from history, compared, swapped
	@: $(or $(SERVICE),$(error say SERVICE=analytics))
	$(of_subscription) rebuild

# --- generated files

.PHONY: generate
generate: setup ## schemas, golden events, AsyncAPI, the event map and the table of permissions, from the code
	@$(PY) -m deploy.contracts generate
	$(PY) -m deploy.checks.permissions
	$(PY) -m deploy.checks.costs --write

.PHONY: new-event
new-event: setup ## SERVICE=tasks EVENT=TaskArchived: the model, golden examples and a test
	@$(PY) -m deploy.contracts new-event $(or $(SERVICE),$(error say SERVICE=tasks)) $(or $(EVENT),$(error say EVENT=TaskArchived))

.PHONY: new-service
new-service: setup ## NAME=billing: the start of a service, with a route, a subscription, an event, permissions and tests
	@$(PY) -m deploy.scaffold "$(or $(NAME),$(error say NAME=billing))"

.PHONY: docs
docs: setup ## build the site of all documents in .local/site
	@$(VENV)/bin/zensical build --clean

.PHONY: lock
lock: setup ## resolve every dependency anew
	@$(COMPILE) --upgrade --group dev pyproject.toml services/*/pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade deploy/embedded/requirements.in -o deploy/embedded/requirements.lock
	$(COMPILE) --upgrade bench/peers.in -o bench/peers.lock
	for service in $(SERVICES); do
	  $(COMPILE) -c requirements.lock pyproject.toml faststream-sqs/pyproject.toml services/$$service/pyproject.toml -o services/$$service/requirements.lock
	done
