# Two commands do all the set-up: `make sweep` and `make test`.
PYTHON ?= python3
ifdef VIRTUAL_ENV
BIN := $(VIRTUAL_ENV)/bin
else
BIN := .venv/bin
endif
STAMP := $(BIN)/../.polysweep-setup

.PHONY: setup sweep test lint clean
.DEFAULT_GOAL := sweep

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || sh scripts/venv.sh $(PYTHON)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	BIN=$(BIN) sh scripts/fluidsynth.sh
	touch $@

sweep: setup
	$(BIN)/python run.py -m optimizer=adam,adamw,rmsprop loss=bce,focal

test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# outputs/ holds trials: it stays.
clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -path ./outputs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
