# Everything runs in a virtual environment of its own; nothing else is installed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check serve bench docs wheel console

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(READY): pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo,dev]'
	touch $@

console: $(READY)
	$(BIN)/python hatch_build.py

demo: $(READY) console ## a district alive in the browser, on recorded counts
	$(BIN)/anshang demo

test: $(READY) console ## every test: SQLite always, PostgreSQL and Chromium where installed
	$(BIN)/python -m pytest -n 2

check: $(READY) console ## format, lint, types, console types and budgets
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python hatch_build.py check

serve: $(READY) console ## run the installation in ./data
	$(BIN)/anshang serve

bench: $(READY) console ## speed with peers in the same run, one JSON line each
	$(BIN)/python -m benchmarks

wheel: $(READY) ## the package with the built console, in dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

docs: $(READY) ## rewrite what the docs take from the code
	$(BIN)/python -m tests.docs
