# Thin wrappers over `pip install -e` and `python -m ...`; the README shows those commands for systems without make.
# Everything is installed into .venv, once for each change of pyproject.toml.
#   make demo ARGS='--ask "What is this?"'     make test ARGS='-k errors -x'     make PYTHON=python3.12 test

PYTHON ?= python3
ARGS ?=
RUN ?= pytest

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test unit lint coverage live cassettes fresh clean

help: ## this list
	@echo "Targets (ARGS is passed on, PYTHON chooses the interpreter):"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

demo: .venv/.installed-demo ## real results from the embedded backend: no token, no network but for the first download
	$(PY) -m hf_tools local pull
	$(PY) -m hf_tools demo $(ARGS)

test: .venv/.installed-dev ## the whole test suite
	$(PY) -m hf_tools local pull
	$(PY) -m $(RUN) $(ARGS)

unit: .venv/.installed-dev ## the tests that start no real engine or server, on two cores in under a minute
	$(PY) -m pytest -n 2 -m "not live" $(ARGS)

lint: .venv/.installed-dev ## ruff, mypy --strict, pyright strict
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pyright

coverage: .venv/.installed-dev ## the test suite with branch coverage, and what it misses
	$(MAKE) --no-print-directory test RUN="coverage run -m pytest"
	$(PY) -m coverage report

live: .venv/.installed-dev ## at most 15 small calls against production; needs HF_TOKEN, skipped without
	$(PY) tests/live/production.py $(ARGS)

cassettes: .venv/.installed-dev ## record cassettes/ anew from real servers started here
	$(PY) -m hf_tools local pull
	$(PY) tests/live/record.py $(ARGS)

fresh: ## clone HEAD into a temporary directory and run demo and test there, twice, with no pip cache
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && git clone --quiet . "$$work/clone" && cd "$$work/clone" && \
	export PIP_NO_CACHE_DIR=1 && for round in 1 2; do echo "round $$round in $$work/clone"; \
	$(MAKE) --no-print-directory demo && $(MAKE) --no-print-directory test || exit 1; done

clean: ## remove .venv, caches and build output
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist build

# A .venv that an interrupted run left without pip, or with an old Python, is made anew; one that is whole is only stamped.
.venv/.created:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	echo "make: no '$(PYTHON)' here. Install Python 3.11 or later, or name yours: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "make: hf-tools needs Python 3.11 or later, but '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1)." \
	"Name another: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "make: '$(PYTHON)' has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@if $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "Using the .venv that is there"; \
	else echo "Making .venv with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear .venv; fi
	@touch $@

.venv/.installed-demo: pyproject.toml .venv/.created
	@echo "Installing hf-tools[local,langchain] into .venv (the first time takes a minute)"
	@$(PIP) -e ".[local,langchain]"
	@touch $@

.venv/.installed-dev: pyproject.toml .venv/.created
	@echo "Installing hf-tools[dev] into .venv (the first time takes a few minutes)"
	@$(PIP) -e ".[dev]"
	@$(PIP) --no-deps api-inference-community==0.0.37
	@touch $@
