# Every command makes its own environment first (scripts/bootstrap, quick when nothing changed).
#
#   make demo       play an online shop into Onefold on this machine
#   make test       the tests, without the slow ones
#   make test-all   all tests
#   make check      formatter, linter, types, import contracts, spelling, docs
#   make bench      every figure in the docs
#   make docs       write the generated pages of docs/ again
#   make fix        format, and mend what the linter can mend
#   make lock       resolve pyproject.toml again into constraints.txt (UPGRADE=1: newest versions)
#   make clean      remove everything that was made here, but no data

PYTHON ?= python3
RUN = .venv/bin/python
WORKERS ?= 2

.PHONY: env run-env demo test test-all check bench docs fix lock clean

env:
	@$(PYTHON) scripts/bootstrap

run-env:
	@$(PYTHON) scripts/bootstrap run

demo: run-env
	@.venv/bin/onefold demo $(ARGS)

test: env
	$(RUN) -m pytest -n $(WORKERS) -m "not slow" $(ARGS)

test-all: env
	$(RUN) -m pytest -n $(WORKERS) $(ARGS)

check: env
	@$(RUN) scripts/check $(ARGS)

bench: env
	@$(RUN) -m bench $(ARGS)

docs: env
	@$(RUN) scripts/settings-page
	@$(RUN) scripts/commands-page

fix: env
	$(RUN) -m ruff check --fix --quiet .
	$(RUN) -m ruff format --quiet .

lock: env
	@$(RUN) scripts/lock $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv .cache build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
