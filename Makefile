# Everything a person or CI runs. Needs git, make and Python ≥ 3.11 with venv; nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check -q
ARGS   ?=

.PHONY: demo test check format bench lock foreign-peers clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/demo.stamp  ## a small city on simulated lines; console on http://127.0.0.1:8080
	$(BIN)/qulink demo $(ARGS)

test: $(VENV)/dev.stamp foreign-peers  ## every test there is
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.stamp  ## style, types, import contracts, documentation
	$(BIN)/ruff format --check gateway edge_config simulators tests benchmarks
	$(BIN)/ruff check gateway edge_config simulators tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs -q

format: $(VENV)/dev.stamp  ## put the code into its standard form
	$(BIN)/ruff format gateway edge_config simulators tests benchmarks
	$(BIN)/ruff check --fix gateway edge_config simulators tests benchmarks

bench: $(VENV)/dev.stamp  ## measure speed and memory; prints JSON
	$(BIN)/python -m benchmarks $(ARGS)

lock: $(VENV)/dev.stamp  ## renew the pinned requirements from pyproject.toml
	for extras in edge:opcua city:city demo:demo dev:dev; do \
	  $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header -q \
	    --extra $${extras#*:} -o requirements/$${extras%:*}.txt; \
	done

foreign-peers: tests/foreign/node_modules/.stamp  ## the npm servers that drivers are tested against

tests/foreign/node_modules/.stamp: tests/foreign/package-lock.json $(VENV)/dev.stamp
	cd tests/foreign && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/demo.txt
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	touch $@

clean:  ## remove what the targets above made
	rm -rf $(VENV) tests/foreign/node_modules demo-data demo.json
