# Everything a person or CI does here. `make` alone prints this help.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY ?= python3.11
PY := $(shell command -v $(PY) 2>/dev/null || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UCI ?= ../shared/data/uci-498

.PHONY: help setup demo test check lint types floors fmt golden messages bench evidence build clean lock docs

help: ## this help
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with the pinned set (again only when it changed)

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PY) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . --group dev
	@touch $@
