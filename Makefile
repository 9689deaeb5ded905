# Two commands on a bare machine with Python 3.11 or newer: `make demo`, `make test`.
# Where make is missing: python -m venv .venv, then its pip install -e ., then its python -m lensgrad demo.

PYTHON ?= python3
ifeq ($(origin LENSGRAD_DATA), undefined)
ifneq ($(wildcard ../shared/data/.),)
export LENSGRAD_DATA := $(abspath ../shared/data)
endif
endif

USER_ENV := .venv
DEV_ENV := .venv-dev
BIN := $(DEV_ENV)/bin

.PHONY: demo test test-fast coverage lint style types layers sizes docs wheel evidence bench readme format clean

demo: $(USER_ENV)/.ready
	$(USER_ENV)/bin/python -m lensgrad demo

test: $(DEV_ENV)/.ready
	$(BIN)/python -m pytest

# Within a minute: what most changes break first.
test-fast: $(DEV_ENV)/.ready
	$(BIN)/python -m pytest --fast -n auto

coverage: $(DEV_ENV)/.ready
	$(BIN)/python -m pytest --cov=lensgrad --cov-report=term:skip-covered

lint: style types layers sizes

style: $(DEV_ENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV_ENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV_ENV)/.ready
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: $(DEV_ENV)/.ready
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.circles

sizes: $(DEV_ENV)/.ready
	$(BIN)/python -m tools.size

docs: $(DEV_ENV)/.ready
	$(BIN)/python -m tools.architecture --check
	$(BIN)/python -m tools.figures --check
	$(BIN)/python -m tools.gallery --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "the pages are in build/site: open build/site/index.html"

wheel: $(DEV_ENV)/.ready
	$(BIN)/python -m tools.wheel

evidence: $(DEV_ENV)/.ready
	$(BIN)/python -m tools.evidence

bench: $(DEV_ENV)/.ready
	$(BIN)/python -m benchmarks.linear_cost
	$(BIN)/python -m benchmarks.run --quick

readme: $(DEV_ENV)/.ready
	$(BIN)/python -m tools.readme

clean:
	rm -rf $(USER_ENV) $(DEV_ENV) build dist *.egg-info

# The stamp is written last: an environment whose making was interrupted is made again from nothing.
$(USER_ENV)/.ready: WHAT := .
$(DEV_ENV)/.ready: WHAT := .[dev]
$(USER_ENV)/.ready $(DEV_ENV)/.ready: %/.ready: pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'lensgrad needs Python 3.11 or newer: make PYTHON=python3.13 ...')"
	@echo "making the environment $* (once)"
	@$(PYTHON) -m venv --clear $*
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '$(WHAT)'
	@touch $@
