# Everything a person or CI runs. Needs git, make and Python ≥ 3.11 with venv; nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
ARGS   ?=
# Tests wait more than they compute; still more at a time, and answers come too late for them.
JOBS   ?= $(shell $(PYTHON) -c 'import os; print(5 * (os.cpu_count() or 1) // 2)')

# Hundreds of processes are started, and each would compile every module anew where keeping them
# is forbidden.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check format pictures bench chaos hostile fuzz lock sbom licences advisories foreign-peers clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/demo.stamp  ## a small city on simulated lines; console on http://127.0.0.1:8080
	$(BIN)/qulink demo $(ARGS)

test: $(VENV)/dev.stamp  ## every test there is
	@$(MAKE) --no-print-directory -j foreign-peers  # four downloads, none of which needs another
	$(BIN)/python -m pytest -p tests.support.forked --forks $(JOBS) $(ARGS)

check: $(VENV)/dev.stamp  ## style, types, import contracts, documentation
	$(BIN)/ruff format --check gateway edge_config simulators tests benchmarks
	$(BIN)/ruff check gateway edge_config simulators tests benchmarks
	$(BIN)/mypy --platform linux
	$(BIN)/mypy --platform darwin
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs -q

format: $(VENV)/dev.stamp  ## put the code into its standard form
	$(BIN)/ruff format gateway edge_config simulators tests benchmarks
	$(BIN)/ruff check --fix gateway edge_config simulators tests benchmarks

bench: $(VENV)/dev.stamp  ## measure speed and memory; prints JSON
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/dev.stamp  ## kill and disturb everything, compare with what devices answered; prints JSON
	@$(BIN)/python -m tests.chaos $(ARGS)

hostile: $(VENV)/dev.stamp  ## drive the Modbus driver through a hostile plant, look for wrong values; prints JSON
	@$(BIN)/python -m tests.drivers.modbus.hostile_campaign $(ARGS)

fuzz: $(VENV)/dev.stamp  ## tamper with answers of every protocol, judge what decoders take; prints JSON
	@$(BIN)/python -m tests.fuzz $(ARGS)

pictures: $(VENV)/dev.stamp foreign-peers  ## take the pictures of docs/roles.md anew
	$(PYTHON) -m tests.roles.pictures docs/images/roles

lock: $(VENV)/dev.stamp  ## renew the pinned requirements from pyproject.toml
	for extras in edge:edge city:city demo:demo dev:dev; do \
	  $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header -q \
	    --extra $${extras#*:} -o requirements/$${extras%:*}.txt; \
	done
	for peer in python sdmx disclosure; do \
	  $(BIN)/uv pip compile tests/foreign/$$peer/requirements.in --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-annotate --no-header -q \
	    -o tests/foreign/$$peer/requirements.txt; \
	done
	$(BIN)/uv pip compile tests/foreign/chdb/requirements.in --universal --python-version 3.11 --no-deps \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o tests/foreign/chdb/requirements.txt

sbom: $(VENV)/dev.stamp  ## bills of materials of what is installed, as CycloneDX, into dist/
	$(BIN)/python deploy/bill.py sbom dist

licences: $(VENV)/dev.stamp  ## renew the list of licences, docs/licences.md
	$(BIN)/python deploy/bill.py licences > docs/licences.md

advisories: $(VENV)/dev.stamp  ## compare with a copy of an advisory database: make advisories OSV=all.zip
	@test -n "$(OSV)" || { echo 'name a database: make advisories OSV=all.zip (see SECURITY.md)' >&2; exit 1; }
	$(BIN)/python deploy/bill.py advisories $(OSV)

foreign-peers: tests/foreign/node_modules/.stamp tests/foreign/java/.stamp $(VENV)/pyhandle.stamp $(VENV)/sdmx.stamp $(VENV)/disclosure.stamp $(VENV)/chdb.stamp  ## programs by others that tests need

tests/foreign/node_modules/.stamp: tests/foreign/package-lock.json $(VENV)/dev.stamp
	cd tests/foreign && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# An environment of its own: it wants packages, by number, that are old.
$(VENV)/pyhandle.stamp: tests/foreign/python/requirements.txt $(VENV)/dev.stamp
	$(PYTHON) -m venv $(VENV)/pyhandle
	$(VENV)/pyhandle/bin/pip --disable-pip-version-check -q install --require-hashes -r $<
	touch $@

# An environment of its own: pandas and pyarrow are not for ours.
$(VENV)/disclosure.stamp: tests/foreign/disclosure/requirements.txt $(VENV)/dev.stamp
	$(PYTHON) -m venv $(VENV)/disclosure
	$(VENV)/disclosure/bin/pip --disable-pip-version-check -q install --require-hashes -r $<
	touch $@

# An environment of its own: 533 MB. Not what it asks for beside: pandas and pyarrow, which its session needs not.
$(VENV)/chdb.stamp: tests/foreign/chdb/requirements.txt $(VENV)/dev.stamp
	$(PYTHON) -m venv $(VENV)/chdb
	$(VENV)/chdb/bin/pip --disable-pip-version-check -q install --no-deps --require-hashes -r $<
	touch $@

$(VENV)/sdmx.stamp: tests/foreign/sdmx/requirements.txt $(VENV)/dev.stamp
	$(PYTHON) -m venv $(VENV)/sdmx
	$(VENV)/sdmx/bin/pip --disable-pip-version-check -q install --require-hashes -r $<
	touch $@

# Without Maven the tests that need Java are skipped, each saying what to install.
tests/foreign/java/.stamp: $(wildcard tests/foreign/java/*/pom.xml)
	@command -v mvn >/dev/null || { echo 'no Maven, so no Java peers: on Debian, apt install default-jdk-headless maven'; exit 0; }; \
	for peer in client server; do \
	  mvn -q -B -Dstyle.color=never -f tests/foreign/java/$$peer/pom.xml $(COPY_JARS) \
	    -DoutputDirectory=$(CURDIR)/tests/foreign/java/$$peer/jars || exit 1; \
	done && touch $@

COPY_JARS := org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml
	$(call install,$<)

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	$(call install,$<)

# Install a lock file and qulink into the virtual environment, which is made anew if it does not work.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo 'qulink needs Python 3.11 or newer, and "$(PYTHON)" is none;' \
    'name one that is: make $(MAKECMDGOALS) PYTHON=python3.13' >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  echo '"$(PYTHON)" cannot make virtual environments; install its venv module' \
    '(on Debian and Ubuntu: apt install python3-venv)' >&2; exit 1; }
@echo 'Installing $(1) into $(VENV): once, one to three minutes ...'
@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
@$(PIP) install --require-hashes -r $(1)
@$(PIP) install --no-deps --no-build-isolation --no-index -e .
@touch $@
endef

clean:  ## remove what the targets above made
	rm -rf $(VENV) tests/foreign/node_modules tests/foreign/java/*/jars tests/foreign/java/.stamp demo-data demo.json
