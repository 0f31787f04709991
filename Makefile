# Two commands do all the set-up: `make sweep` and `make test`.
PYTHON ?= python3
ifdef VIRTUAL_ENV
BIN := $(VIRTUAL_ENV)/bin
else
BIN := .venv/bin
endif
STAMP := $(BIN)/../.polysweep-setup
# As the name of a target: an environment may lie in a folder whose name has spaces.
SPACE := $(subst ,, )
SET_UP := $(subst $(SPACE),\$(SPACE),$(STAMP))
# In the order of tests/conftest.py, not by the number of tests in a file.
IN_PARALLEL = --numprocesses auto --dist loadfile --no-loadscope-reorder
SETUP = BIN="$(BIN)" PYTHON="$(PYTHON)" sh scripts/setup.sh && touch "$(STAMP)"

.PHONY: setup sweep test fuzz lint lock canary clean
.DEFAULT_GOAL := sweep

# Typed, it always runs, and so repairs an environment; before other commands once.
setup:
	$(SETUP)

$(SET_UP): pyproject.toml constraints.txt scripts/setup.sh scripts/fluidsynth.sh
	$(SETUP)

sweep: $(SET_UP)
	"$(BIN)/python" run.py -m optimizer=adam,adamw,rmsprop loss=bce,focal

test: $(SET_UP)
	"$(BIN)/python" -m pytest $(IN_PARALLEL)

# Damaged and hostile files of every kind, for minutes; `make fuzz SEED=1` makes others.
fuzz: $(SET_UP)
	"$(BIN)/python" -m tests.fuzz.fuzz --mutants $(or $(MUTANTS),10000) --seed $(or $(SEED),0)

lint: $(SET_UP)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

# The newest versions that the ranges of pyproject.toml allow, as constraints.txt.
lock: $(SET_UP)
	"$(BIN)/python" scripts/lock.py

# The tests with the newest versions, in an environment of their own.
canary:
	BIN=.canary/bin PYTHON="$(PYTHON)" CONSTRAINTS= sh scripts/setup.sh
	.canary/bin/python -m pytest $(IN_PARALLEL)

# outputs/ holds trials: it stays.
clean:
	rm -rf .venv .canary build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -path ./outputs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
