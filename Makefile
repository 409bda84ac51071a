# Everything a developer does, one target each. Needs Python 3.11+, pip and make, and nothing else.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CODE := src tests tools $(wildcard bench)

# The environment is current when it holds exactly these files: contents count, not dates, which a
# checkout changes at will.
STAMP := $(VENV)/.made-from-$(shell cat requirements-dev.lock pyproject.toml | cksum | tr ' ' '-')

PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  make %-18s %s\n", $$1, $$2}'

.PHONY: run
run: $(STAMP) ## start the database, the API and the worker, with a demo market
	@$(BIN)/marketplace serve

.PHONY: test
test: $(STAMP) ## run every test
	@$(PYTEST) -n $(WORKERS) $(ARGS)

# By itself: measuring takes as long again as what is measured.
.PHONY: coverage
coverage: $(STAMP) ## run every test, and report the coverage by layer
	@$(PYTEST) -n $(WORKERS) --cov --cov-report= -p tools.coverage_by_layer $(ARGS)

.PHONY: test-unit
test-unit: $(STAMP) ## run the tests that need neither a database nor a network
	@$(PYTEST) -n $(WORKERS) -q tests/unit $(ARGS)

.PHONY: test-integration
test-integration: $(STAMP) ## run the tests on a real PostgreSQL
	@$(PYTEST) -n $(WORKERS) -q tests/integration $(ARGS)

.PHONY: check
check: format-check lint types imports check-unit audit ## all quick checks: format, lint, types, imports, unit tests, audit

.PHONY: format
format: $(STAMP) ## format the code and mend what the linter can
	@$(BIN)/ruff check -q --fix-only $(CODE)
	@$(BIN)/ruff format -q $(CODE)

.PHONY: format-check
format-check: $(STAMP) ## see that the code is formatted
	@$(BIN)/ruff format --check -q $(CODE)

.PHONY: lint
lint: $(STAMP) ## look for mistakes with ruff
	@$(BIN)/ruff check -q $(CODE)

.PHONY: types
types: $(STAMP) ## check the types with mypy
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## see that the layers keep to their contracts
	@$(BIN)/lint-imports --no-cache

.PHONY: check-unit
check-unit: $(STAMP) # the unit tests, less those that take seconds
	@$(PYTEST) -n $(WORKERS) -q -m "not slow" tests/unit

.PHONY: audit
audit: $(STAMP) ## look for known holes in the locked dependencies (says so when offline)
	@$(BIN)/python tools/audit.py

.PHONY: bench
bench: $(STAMP) ## measure the speed and write docs/performance.md
	@$(BIN)/python -m bench

# uv comes into an environment of its own: it is needed to lock, not to install.
.PHONY: lock
lock: ## resolve the dependencies anew and write the lock files
	@python=$$(sh tools/find_python) && $$python -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip install -q -q uv
	@VENV=$(VENV)-lock sh tools/lock $(ARGS)
	@rm -rf $(VENV)-lock

.PHONY: clean
clean: ## remove what the other targets made, the development database included
	@rm -rf $(VENV) $(VENV)-lock var dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
		.hypothesis .schemathesis .coverage .coverage.* htmlcov
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements-dev.lock pyproject.toml
	@sh tools/make_venv $(VENV)
	@rm -f $(VENV)/.made-from-*
	@touch $@
