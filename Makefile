# Each target sets up what it needs, from nothing: Python >= 3.11, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test lint format fuzz bench clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the virtual environment, with pinned versions

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Topicwire needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(READY)  ## sample feeds, matched, grouped and shown as messages: no token, no network
	$(BIN)/topicwire demo --data-dir demo-data

test: lint  ## everything that CI runs
	$(BIN)/python -m pytest -n auto

lint: $(READY)  ## style, types, layers
	$(BIN)/ruff check bot tests benchmarks docs
	$(BIN)/ruff format --check bot tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## lay the code and the rules out, and renew what docs show of them
	$(BIN)/ruff check --fix bot tests benchmarks docs
	$(BIN)/ruff format bot tests benchmarks docs
	$(BIN)/topicwire rules fmt rules
	$(BIN)/python docs/tables.py
	$(BIN)/python docs/play.py

fuzz: $(READY)  ## 20,000 random rule sets against brute force, a million random feeds: half an hour
	$(BIN)/python -m pytest -n 0 --hypothesis-profile=fuzz tests/unit/test_match_brute.py
	$(BIN)/python -m tests.fuzz.bodies --count 1000000 --jobs 2

bench: $(READY)  ## what the numbers in docs/ were measured with
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/topics.py
	$(BIN)/python benchmarks/stories.py
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/polling.py

clean:  ## away with the virtual environment and the demo's data
	rm -rf $(VENV) demo-data
