# Understudy's targets. `make help` lists them; each leaves a stamp, so a second call starts at once.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LLAMA := llama-cpp-python==0.3.36
# Tests that ARGS names by their path take the place of all.
WHERE = $(if $(findstring tests/,$(ARGS)),,tests)

.PHONY: help play test check prove learning native transcript screenshots browser constraints clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

play: $(STAMPS)/serving  ## open the table in the browser (ARGS=--terminal: in the terminal)
	@$(BIN)/understudy play $(ARGS)

test: $(STAMPS)/dev $(STAMPS)/learning  ## all tests (at most 12 minutes on two cores after set-up)
	@$(BIN)/python -m pytest $(WHERE) --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMPS)/dev $(STAMPS)/learning  ## lint, types, import contracts, pins (at most 2 minutes)
	@$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache | tail -n 20
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/python -m pytest -q tests/test_house.py

prove: $(STAMPS)/dev $(STAMPS)/learning  ## the long proofs: the starter itself, chaos, memory
	@$(BIN)/python -m pytest $(WHERE) -m prove -s $(ARGS)

learning: $(STAMPS)/learning  ## install what training needs (torch, transformers, trl, peft)

native: $(STAMPS)/venv  ## build llama.cpp for this processor again
	@rm -f $(STAMPS)/native
	$(PIP) uninstall --yes llama-cpp-python
	$(MAKE) $(STAMPS)/native

transcript: $(STAMPS)/serving  ## play the README's transcript anew and write it in
	@$(BIN)/python tests/transcript.py

browser:  ## install the browser that tests of the studio drive (Debian, Ubuntu; as root or with sudo)
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0
	$$( [ "$$(id -u)" = 0 ] || echo sudo ) apt-get install --yes --quiet chromium chromium-driver fonts-noto-core

screenshots: $(STAMPS)/dev browser  ## take the README's pictures of the studio anew
	@$(BIN)/python -m tests.screenshots

constraints: $(STAMPS)/dev $(STAMPS)/learning  ## write constraints.txt from what is installed here
	@$(BIN)/python tests/pins.py --write

clean:  ## remove the environment and caches (your home with its campaigns is not touched)
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build *.egg-info

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Understudy needs Python 3.11 or newer as '$(PYTHON)'; install it, or name another with PYTHON=…." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv module is missing; install it (Debian, Ubuntu: apt install python3-venv) and run make again." >&2; exit 1; }
	@echo "[1/4] making $(VENV)"
	$(PYTHON) -m venv $(VENV)
	mkdir -p $(STAMPS)
	touch $@

# pip's own last line is shown when it fails; the sentence before it says what to do.
define install
	$(PIP) install --constraint constraints.txt $(1) 2>$(VENV)/pip.log || { \
	  grep -qiE 'no space left' $(VENV)/pip.log && why="the disk is full; make room" \
	    || why="see $(VENV)/pip.log; most often the package index cannot be reached"; \
	  echo "Installing packages failed: $$why, then run make again." >&2; exit 1; }
endef

$(STAMPS)/native: $(STAMPS)/venv constraints.txt
	@echo "[2/4] llama.cpp, built for this processor"
	$(BIN)/python characters/inference/native_build.py $(LLAMA) constraints.txt
	touch $@

$(STAMPS)/serving: $(STAMPS)/native pyproject.toml constraints.txt
	@echo "[3/4] the packages that serving needs"
	$(call install,--editable .)
	echo "[4/4] proving the build: decoding with the starter"
	$(BIN)/python -m characters.inference.native_proof
	touch $@

$(STAMPS)/learning: $(STAMPS)/serving
	@echo "the learning extra (torch and friends; some minutes, about 1.5 GB)"
	$(call install,torch==2.13.0)
	$(call install,--editable '.[learning]')
	touch $@

$(STAMPS)/dev: $(STAMPS)/serving
	@echo "the tools for tests and lint"
	$(call install,--editable '.[dev]')
	touch $@
