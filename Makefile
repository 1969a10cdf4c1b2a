# Kuimen: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
SERVE_ARGS ?=
TEST_ARGS ?=

.PHONY: help setup setup-demo demo serve test check fix lock generate bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## put everything that tests and work on Kuimen need into .venv
	@PYTHON=$(PYTHON) tools/setup.sh dev

setup-demo:
	@PYTHON=$(PYTHON) tools/setup.sh demo

demo: setup-demo ## the main job: lender database in; sealed data, cases, report and console out (DEMO_ARGS=--no-serve)
	@$(BIN)/kuimen demo $(DEMO_ARGS)

serve: setup-demo ## run the console and the API of an existing installation
	@$(BIN)/kuimen serve $(SERVE_ARGS)

test: setup check ## every check and every test; the tests of the rooms once more on Debian's PostgreSQL
	@$(BIN)/python -m pytest -n 2 $(TEST_ARGS)
	@KUIMEN_PG_BIN=$$(tools/system_postgres.sh) $(BIN)/python -m pytest -n 2 -m "not slow" tests/integration

check: setup ## formatting, lint, types, import contracts, house rules, generated files
	@$(BIN)/ruff format --check src tests tools benchmarks
	@$(BIN)/ruff check src tests tools benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.house_lint src
	@$(BIN)/python -m tools.generate_elements --check
	@$(BIN)/python -m tools.generate_conformance --check

fix: ## format and apply the safe lint fixes
	@$(BIN)/ruff format src tests tools benchmarks
	@$(BIN)/ruff check --fix src tests tools benchmarks

generate: ## write the generated files again (element table, conformance table)
	@$(BIN)/python -m tools.generate_elements
	@$(BIN)/python -m tools.generate_conformance

lock: ## compile the hash-pinned requirements again
	@tools/lock.sh

bench: setup ## measure, side by side with the nearest limit; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks

clean: ## remove .venv and caches (installations are untouched)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
