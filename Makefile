# Everything a person does with WedSync. `make help` lists it; the continuous integration runs the same lines.
# All paths are relative and all tools run as modules, so that the checkout may lie below a folder with a space.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run demo test bench-ingest bench-deliver bench-isolation bench-emergency bench-routing bench-live bench-pressure fuzz reconcile reconcile-live chaos lint docs format requirements clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run-installed ## run everything here, until Ctrl-C (PORT=8000 WEDSYNC_HOME=.wedsync)
	@exec $(RUN) -m wedsync.runner

demo: $(VENV)/.run-installed ## play the four stories on a copy of its own (ARGS=--json)
	@exec $(RUN) -m wedsync.demo $(ARGS)

test: $(VENV)/.dev-installed ## run the tests (ARGS="tests/wedsync/runner -k port")
	$(RUN) -m pytest $(ARGS)

bench-ingest: $(VENV)/.dev-installed ## measure the receiver beside barer servers, about 8 minutes (ARGS="--rounds 1 --no-full")
	$(RUN) -m bench.ingest $(ARGS)

bench-deliver: $(VENV)/.dev-installed ## measure deliveries beside a bare Celery task, about 8 minutes (ARGS="--only throughput --latency 0")
	$(RUN) -m bench.deliver $(ARGS)

bench-isolation: $(VENV)/.dev-installed ## measure others beside a dead target, and targets that fail now and then, 4 minutes (ARGS="--only dead")
	$(RUN) -m bench.isolation $(ARGS)

bench-emergency: $(VENV)/.dev-installed ## play an emergency while 5 000 messages wait, about 4 minutes (ARGS="--waiting 200 --pace 10")
	$(RUN) -m bench.emergency $(ARGS)

bench-routing: $(VENV)/.dev-installed ## measure matching among 10 to 10 000 routes, about 2 minutes (ARGS="--help")
	$(RUN) -m bench.routing $(ARGS)

bench-live: $(VENV)/.dev-installed ## measure events to many sockets beside barer servers, about 8 minutes (ARGS="--rounds 1 --sockets 200")
	$(RUN) -m bench.live $(ARGS)

bench-pressure: $(VENV)/.dev-installed ## misuse the live channels, and replace a web process, beside clients that are served, about 12 minutes (ARGS="--only deploy")
	$(RUN) -m bench.pressure $(ARGS)

fuzz: $(VENV)/.dev-installed ## throw random and mutated requests at the receiver (ARGS="--count 10000 --seed 7")
	$(RUN) -m bench.fuzz $(ARGS)

reconcile: $(VENV)/.dev-installed ## kill the receiver and its PostgreSQL under load, and compare answers with rows (ARGS="--faults 2")
	$(RUN) -m bench.reconcile $(ARGS)

reconcile-live: $(VENV)/.dev-installed ## kill web processes and Valkey under following clients, and compare them with the log (ARGS="--seconds 20")
	$(RUN) -m bench.reconcile_live $(ARGS)

chaos: $(VENV)/.dev-installed ## break a whole running copy in every way, about 10 minutes (ARGS="--faults kill-web valkey-lost")
	$(RUN) -m bench.chaos $(ARGS)

lint: $(VENV)/.dev-installed ## check style, repetitions, types, imports between rooms, migrations, settings
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m pylint integrations notifications webhooks wedsync sandbox
	$(RUN) -m mypy
	$(RUN) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(RUN) -m wedsync.runner.checks

docs: $(VENV)/.docs-installed ## build the documentation as a searchable site in site/ (python3 -m http.server -d site shows it)
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --quiet --strict
	$(RUN) docs/site/origins.py site

format: $(VENV)/.dev-installed ## put the code into shape
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

requirements: ## pin the packages anew from pyproject.toml (needs uv)
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	$(COMPILE) --group docs --constraints requirements.txt --constraints requirements-dev.txt --output-file requirements-docs.txt

clean: ## remove the virtual environment and caches; data stay in WEDSYNC_HOME
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A newer interpreter makes the virtual environment's python newer, hence everything is installed again.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "WedSync needs Python 3.11 or newer, and '$(PYTHON)' is not. Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.run-installed: requirements.txt $(VENV)/bin/python
	@echo "Installing the packages; only the first time takes a while." >&2
	@$(RUN) -m pip install --quiet --require-hashes -r requirements.txt >&2
	@touch $@

$(VENV)/.dev-installed: requirements-dev.txt tests/node_packages/package-lock.json $(VENV)/.run-installed
	$(RUN) -m pip install --quiet --require-hashes -r requirements-dev.txt
	@$(RUN) -m tests.node || echo "Without npm's registry the test of AsyncAPI's own parser is skipped." >&2
	@touch $@

$(VENV)/.docs-installed: requirements-docs.txt $(VENV)/.run-installed
	$(RUN) -m pip install --quiet --require-hashes -r requirements-docs.txt
	@touch $@
