# make run     set up, then start Pinion with the demo configuration and a feeder (FEED=FILE plays a file,
# make         ARGS="--api-port N --order-port N --rate N" passes options); Ctrl-C stops it in order
# make test    set up, then run every test (ARGS="-k NAME" passes options of pytest)
# make check   what CI runs beside the tests: format, lint, types, house rules, kernels in bounds, tiny benchmarks
# make payments  the whole way from an old payment service to Pinion (ARGS="--count N --out DIR")
# make model   check the model of visibility and recovery (needs spin and gcc)
# make bench   the full benchmarks: minutes, on an otherwise idle machine (TIERS="ring step" for some)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := ringbuf engine gateways api perf tests pinion
DEPENDENCIES := $(VENV)/.dependencies.stamp
INSTALLED := $(VENV)/.installed.stamp
DATA ?= ../shared/data
TICKS = $(if $(TICK),--tick $(TICK))

.DEFAULT_GOAL := help
.PHONY: help setup run payments test check lint types bounds model bench bench-quick test-data clean

help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

setup: $(INSTALLED)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(DEPENDENCIES): requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): pyproject.toml $(DEPENDENCIES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup
	$(BIN)/python -m pinion.cli.instance.demo $(if $(FEED),--feed "$(FEED)" $(TICKS)) $(ARGS)

payments: setup
	$(BIN)/python -m pinion.cli.main payments journey $(ARGS)

test: setup
	$(BIN)/python -m pytest $(ARGS)

check: lint types bounds bench-quick
	$(BIN)/python -m pytest -q tests/test_house_rules.py

lint: setup
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: setup
	$(BIN)/mypy

bounds: setup
	for application in trading payments; do \
	  cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	  NUMBA_BOUNDSCHECK=1 PINION_KERNEL_CACHE="$$cache" $(BIN)/python -m tests.engine.kernel_work $$application \
	  || exit 1; rm -rf "$$cache"; \
	done

model:
	docs/model/check

bench: setup
	@mkdir -p var
	$(BIN)/python -m perf run $(TIERS) --json var/bench.json
	$(BIN)/python -m perf report var/bench.json

bench-quick: setup
	@mkdir -p var
	$(BIN)/python -m perf run $(TIERS) --quick --json var/bench-quick.json

test-data: setup
	@test -d $(DATA) || { echo "no folder $(DATA): give DATA=FOLDER with the real files"; exit 1; }
	set -e; for file in $(DATA)/*.dbn.zst; do $(BIN)/pinion replay "$$file" --stats $(TICKS); done; \
	for file in $(DATA)/*ITCH50; do $(BIN)/pinion replay "$$file" --stats; done

clean:
	rm -rf $(VENV) build var .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
