# `make help` lists the targets. Each of them sets up .venv first when that is missing or out of date,
# so `git clone` and one target are all that is needed: Python 3.11 or later, make and git.

# Which Python to use is found out below; `make PYTHON=/path/to/python ...` chooses another.
PYTHON ?=
# `make CONSTRAINTS=other.txt ...` installs other versions than the tested ones.
CONSTRAINTS ?= constraints.txt
# Further options for pytest: `make unit PYTEST="-k store"`.
PYTEST ?=
# Further options for `make dist`: `DIST="--install python3.13"` also tries the wheel out there.
DIST ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SLOW_STAMP := $(VENV)/.installed-slow
# The version of ONNX Runtime Web that pages are tested with.
ONNXRUNTIME_WEB := 1.30.0

.PHONY: help install demo test test-slow unit bench lint format docs dist clean

help:
	@echo 'make demo        train a model on dSprites, score it, write report.html'
	@echo 'make test        lint, tests, documentation'
	@echo 'make test-slow   the tests that take minutes each, with Ray and ONNX'
	@echo 'make install     only set up .venv'
	@echo 'make unit        only the tests            (PYTEST="-k store" for some of them)'
	@echo 'make lint        only formatting, lint, types, layers, spelling'
	@echo 'make format      mend formatting, and what lint can mend'
	@echo 'make docs        only the documentation, into docs/_build/html'
	@echo 'make bench       the benchmarks'
	@echo 'make dist        wheel and sdist, checked, into dist    (DIST="--install python3.13")'
	@echo 'make clean       remove .venv and everything that a target made'

install: $(STAMP)

# The stamp is written last: an installation that broke off is taken up again the next time.
$(STAMP): pyproject.toml $(CONSTRAINTS)
	@set -e; found=''; \
	for candidate in $(if $(PYTHON),'$(PYTHON)',python3 python3.13 python3.12 python3.11); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'unweave needs Python 3.11 or later, and there is none as $(if $(PYTHON),$(PYTHON),python3)' \
	    "($$($(if $(PYTHON),'$(PYTHON)',python3) --version 2>&1 | head -n 1))." \
	    'Install one, or name it: make PYTHON=/path/to/python3.12 ...' >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$found cannot make virtual environments: install its venv package" \
	    '(python3-venv on Debian and Ubuntu), or name another Python: make PYTHON=...' >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import pip' >/dev/null 2>&1; then \
	  echo "Making $(VENV) with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV); \
	fi
	@echo 'Installing what unweave needs into $(VENV); the first time this downloads PyTorch.'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(CONSTRAINTS) hatchling editables
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(CONSTRAINTS) --no-build-isolation --editable '.[test,lint,docs]'
	@touch $@

# Ray and ONNX Runtime are large, and only what takes long needs them.
$(SLOW_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(CONSTRAINTS) --no-build-isolation --editable '.[test-slow]'
	@npm pack --silent --pack-destination $(VENV) onnxruntime-web@$(ONNXRUNTIME_WEB) >/dev/null \
	  || echo 'Tests of pages with ONNX Runtime Web are skipped: npm cannot fetch it.'
	@touch $@

demo: $(STAMP)
	$(BIN)/unweave demo

# One after the other, also under `make -j`: the cheapest check speaks first.
test: $(STAMP)
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory docs

# A process a core, each with one thread: two with two threads each wait for one another. Bytecode
# is kept, whatever the environment says: else each process rewrites the assertions of all files.
unit: $(STAMP)
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -m 'not slow' \
	  --numprocesses auto --maxprocesses 8 --dist loadfile $(PYTEST)

# pytest ends with 5 when it found no slow test, which is no failure.
test-slow: $(SLOW_STAMP)
	@$(BIN)/python -m pytest -m slow --timeout=2400 $(PYTEST) tests; code=$$?; \
	if [ $$code -eq 5 ]; then echo 'There are no slow tests.'; exit 0; fi; \
	exit $$code

bench: $(SLOW_STAMP)
	@set -e; \
	for script in benchmarks/[!_]*.py; do \
	  if [ ! -e "$$script" ]; then echo 'There are no benchmarks.'; break; fi; \
	  echo "== $$script"; $(BIN)/python "$$script"; \
	done

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(STAMP)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/check_site.py docs/_build/html
	@echo 'The documentation is in docs/_build/html/index.html'

dist: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m release.check --out dist $(DIST)

clean:
	rm -rf $(VENV) build dist docs/_build docs/reference/generated .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
