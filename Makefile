# Two commands on a bare machine: `make demo` and `make test`. Both set up first, below this folder only.

SHELL := /bin/bash
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lock clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

setup:  ## install everything that is needed below this folder (PYTHON=… chooses another Python)
	@PYTHON="$(PYTHON)" tools/setup.sh

demo: setup  ## run a mission from plan to seal on the scripted model: no key, no network
	@$(BIN)/mission demo

test: setup check  ## check everything, then run every test (WORKERS=2 at the same time)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: setup  ## lint, format, types, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup  ## put the code in order
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: setup  ## pin what pyproject.toml and tools/package.json ask for (ARGS=--upgrade: to the newest)
	@$(BIN)/python tools/lock.py $(ARGS)

clean:  ## remove what set-up and the tools made (never a mission or its branches)
	rm -rf .venv tools/node_modules .cache .pytest_cache .mypy_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
