# Thin wrappers over `pip install -e` and `python -m ...`; the README shows those commands for systems without make.
# Everything is installed into .venv, once for each change of pyproject.toml.
#   make demo ARGS='--ask "What does she want?" --file x.wav'     make test ARGS='-k errors -x'     make PYTHON=python3.12 test

PYTHON ?= python3
ARGS ?=
RUN ?= pytest

ifeq ($(OS),Windows_NT)
BIN := Scripts
else
BIN := bin
endif
PY := .venv/$(BIN)/python
PY18 := .venv-core18/$(BIN)/python
PYLOW := .venv-lowest/$(BIN)/python
INSTALL := -m pip install --disable-pip-version-check --quiet
PIP := $(PY) $(INSTALL)

# The tests that need langchain-core; `make test` runs them as well, on the newest release that pip can install.
LANGCHAIN := tests/langchain tests/cli tests/live/test_cases.py tests/test_examples.py tests/test_installed.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-core18 test-lowest unit lint coverage faults faults-peers soak audit live servers cassettes weights fresh clean

help: ## this list
	@echo "Targets (ARGS is passed on, PYTHON chooses the interpreter):"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: .venv/.installed-demo ## an agent with tools and files on this machine: no token, no network after the first time
	$(PY) -m hf_tools local pull
	$(PY) -m hf_tools demo $(ARGS)

test: weights ## the whole test suite
	$(PY) -m $(RUN) $(ARGS)

test-core18: weights .venv-core18/.installed ## the tests that need LangChain, on langchain-core 1.8 and langchain 1.5
	$(PY18) -c 'from langchain_core import __version__ as core; assert core.startswith("1.8."), core; print("langchain-core", core)'
	$(PY18) -m $(RUN) $(LANGCHAIN) $(ARGS)

test-lowest: weights .venv-lowest/.installed ## the whole test suite on the oldest releases that pyproject.toml admits; Python 3.11 or 3.12
	$(PYLOW) -m $(RUN) $(ARGS)

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

bench: .venv/.installed-dev .venv-peers/made ## what calls cost, ours and those of others, in ten minutes; writes benchmarks/RESULTS.md
	$(PY) -m benchmarks $(ARGS)

bench-quick: .venv/.installed-dev .venv-peers/made ## a look in fewer and shorter rounds, which writes nothing; ARGS="--case chat" for one case
	$(PY) -m benchmarks --quick $(ARGS)

faults: .venv/.installed-dev ## every fault of tests/faults on every client, as a table; ARGS are words to choose by
	$(PY) -m tests.faults $(ARGS)

faults-peers: .venv/.installed-dev ## the same faults on other clients, in an environment of their own; ARGS=--save writes docs
	$(PY) -m tests.faults.peers $(ARGS)

soak: .venv/.installed-dev ## 20,000 mixed calls and 1,000 streams at once against a server on this machine, in some three minutes
	$(PY) -m tests.faults.soak $(ARGS)

audit: .venv/.installed-dev ## known vulnerabilities of the installed packages, by pip-audit in an environment of its own
	$(PY) -m tests.audit

live: .venv/.installed-dev ## at most 15 small calls against production and one to each provider; needs HF_TOKEN, skipped without
	$(PY) tests/live/production.py $(ARGS)

servers: weights ## start real servers on this machine until Ctrl-C, all or those in ARGS; the first time takes 1.7 GB
	$(PY) tests/live/servers.py $(ARGS)

cassettes: weights ## record cassettes/ anew from real servers started here, all or those in ARGS
	$(PY) tests/live/record.py $(ARGS)

weights: .venv/.installed-dev
	$(PY) -m hf_tools local pull
	$(PY) tests/live/minilm.py

fresh: ## clone HEAD into a temporary directory and run demo and test there, twice, with no pip cache
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && git clone --quiet . "$$work/clone" && cd "$$work/clone" && \
	export PIP_NO_CACHE_DIR=1 && for round in 1 2; do echo "round $$round in $$work/clone"; \
	$(MAKE) --no-print-directory demo && $(MAKE) --no-print-directory test || exit 1; done

clean: ## remove the environments, caches and build output
	rm -rf .venv .venv-core18 .venv-lowest .venv-servers .venv-audit .venv-peers .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist build

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
	@echo "Installing hf-tools[demo] into .venv (the first time takes a minute or two)"
	@$(PIP) -e ".[demo]"
	@touch $@

.venv/.installed-dev: pyproject.toml .venv/.created
	@echo "Installing hf-tools[dev] into .venv (the first time takes a few minutes)"
	@$(PIP) -e ".[dev]"
	@$(PIP) --no-deps api-inference-community==0.0.37
	@touch $@

# pip gives langchain-core 1.7 where the index has no certifi of October 2026, which 1.8 asks for and does not use. So the
# newer ones are laid over an environment that was resolved with the older ones; the pins spare pip the search for them.
.venv-core18/.installed: pyproject.toml .venv/.created
	@echo "Installing hf-tools[dev] into .venv-core18, with langchain-core 1.8 over it (the first time takes a minute)"
	@[ "$$($(PY18) -c 'import pip, sys; print(sys.version)' 2>/dev/null)" = "$$($(PY) -c 'import sys; print(sys.version)')" ] || \
	$(PY) -m venv --clear .venv-core18
	@echo '*' > .venv-core18/.gitignore
	@$(PY18) $(INSTALL) langchain-core==1.7.2 langchain==1.4.7 langgraph==1.2.22 langchain-tests==1.1.9 -e ".[dev]"
	@$(PY18) $(INSTALL) --no-deps langchain-core==1.8.2 langchain==1.5.0 api-inference-community==0.0.37
	@touch $@

# What developers alone need is new; pip then tells what does not fit to it, and goes on.
.venv-lowest/.installed: pyproject.toml tests/floors.py .venv/.created
	@echo "Installing hf-tools[dev] into .venv-lowest, with the oldest releases over it (the first time takes a minute)"
	@$(PY) -m venv --clear .venv-lowest
	@echo '*' > .venv-lowest/.gitignore
	@$(PYLOW) $(INSTALL) -e ".[dev]"
	@$(PYLOW) $(INSTALL) --no-deps api-inference-community==0.0.37
	@$(PYLOW) -m tests.floors > .venv-lowest/floors.txt
	@$(PYLOW) $(INSTALL) -r .venv-lowest/floors.txt
	@touch $@

.venv-peers/made: benchmarks/peers/environment.py .venv/.created
	@$(PY) benchmarks/peers/environment.py
	@touch $@
