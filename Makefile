# Everything a person or CI does here. `make` alone prints this help.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UCI ?= ../shared/data/uci-498
WORKERS ?= 2

.PHONY: help setup demo test campaign check lint types floors fmt golden gallery messages docs bench browser evidence build lock clean

help: ## this help
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv with the pinned set (again only when it changed)

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@echo "Installing the pinned set into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . --group dev
	@touch $@

demo: setup ## the whole main job on a synthetic instance, shown (KEEP=1 leaves the instance running)
	@$(BIN)/python tools/demo.py $(if $(KEEP),--keep)

test: setup ## the tests (no root, no network, no other data)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

campaign: setup ## faults, kills and edits at random against one store (RUNS=1000 SEED=1)
	$(BIN)/python -m tests.campaign --runs $(or $(RUNS),1000) --seed $(or $(SEED),1)

check: lint types floors test ## what CI runs on every change

lint: setup ## style, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup ## strict types
	$(BIN)/mypy

floors: setup ## a floor imports only from below
	$(BIN)/lint-imports

fmt: setup ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: setup ## write the golden reports anew (then read the diff)
	$(BIN)/python -m tests.golden.rewrite

gallery: setup ## every form of picture on one page, to be looked at (.gallery/)
	$(BIN)/python -m tools.gallery --files

messages: setup ## add new texts to the Spanish catalogue
	$(BIN)/python tools/messages.py

docs: setup ## write the generated parts of docs/ anew
	$(BIN)/python tools/docs.py

evidence: setup ## what needs the UCI year (UCI=folder, default ../shared/data/uci-498)
	@test -d $(UCI) || { echo "make evidence needs the UCI year in $(UCI); see docs/evidence.md"; exit 1; }
	TRAVESIA_UCI=$(UCI) $(BIN)/python -m pytest -q -m evidence -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10

browser: setup ## the pages in a real browser: width, scripts, accessibility (needs Chromium)
	@test -n "$$TRAVESIA_CHROMIUM" || command -v chromium chromium-browser google-chrome >/dev/null || { echo "make browser needs Chromium: apt-get install chromium, or TRAVESIA_CHROMIUM=/path/to/it"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group browser
	$(BIN)/python -m pytest -q -m browser -n $(WORKERS) --dist loadfile tests/browser

bench: setup ## benchmarks beside the peers, into docs/benchmarks.md; memory with the UCI year (ratios, not seconds)
	$(BIN)/python -m benchmarks.pull --docs
	$(BIN)/python -m benchmarks.pull --large 1000000 --docs
	$(BIN)/python -m benchmarks.write --docs
	$(BIN)/python -m benchmarks.nightly --docs
	@test -d $(UCI) || { echo "benchmarks.memory left out: no UCI year in $(UCI), see docs/evidence.md"; exit 0; }; $(BIN)/python -m benchmarks.memory --uci $(UCI)

build: setup ## the wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w dist .

lock: setup ## pin what is installed now
	$(BIN)/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

clean: ## remove what these commands made
	rm -rf .venv .demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
