# make demo, make test … need only python3 (3.11 to 3.13), make and a C++ compiler: the first
# call builds the environment in .venv. Variables: PYTHON, VENV, JOBS, OUT (where the demo writes).
PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
OUT    ?= demo

BIN      := $(VENV)/bin
PY       := $(BIN)/python
PACKAGES := analysis biomod cell_types microcircuits
CODE     := $(PACKAGES) tests $(wildcard benchmarks docs setup.py)
INSTALL  := $(PY) -m pip install --quiet --prefer-binary --disable-pip-version-check --no-input

export MPLBACKEND ?= Agg

.DEFAULT_GOAL := help
.PHONY: help demo test validate cuda-test cuda-bench brian2-suite bench docs lint format clean

help:
	@echo 'make demo      run the demonstration; figures and report in $(OUT)/'
	@echo 'make test      lint, types, import layers, and every quick test'
	@echo 'make validate  slow tests, other simulators, published values; table of the hh cells'
	@echo 'make cuda-test PYTHON=python3.12  the cuda backend: compile, and run where there is a GPU'
	@echo 'make cuda-bench PYTHON=python3.12  the cuda backend against cpp in three sizes'
	@echo 'make bench     time the reference circuits; results in build/bench/'
	@echo 'make brian2-suite  the tests of Brian2 for standalone devices, on the engine; 20 minutes'
	@echo 'make docs      run the examples and build the pages into docs/_build/'
	@echo 'make lint      the checks of make test without the tests'
	@echo 'make format    rewrite the sources as the linter wants them'
	@echo 'make clean     remove all that the other targets made, .venv included'

demo: $(VENV)/.core
	$(PY) -m microcircuits.demo --out $(OUT)

test: lint
	$(PY) -m pytest -n $(JOBS) --dist loadgroup

validate: $(VENV)/.validate
	$(PY) -m pytest -m 'validate or slow' -n $(JOBS) --dist loadgroup
	$(PY) -m cell_types.calibration.table

# brian2cuda needs Python 3.12, so in an environment of their own.
cuda-test:
	$(MAKE) VENV=.venv-cuda .venv-cuda/.cuda
	.venv-cuda/bin/python -m pytest -m 'validate or not validate' tests/backends/test_cuda.py

cuda-bench:
	$(MAKE) VENV=.venv-cuda .venv-cuda/.cuda
	.venv-cuda/bin/python benchmarks/bench_cuda.py

brian2-suite: $(VENV)/.test
	$(PY) -W ignore -m tests.engine.brian2_suite

bench: $(VENV)/.bench
	$(PY) benchmarks/run_all.py --out build/bench

docs: $(VENV)/.docs
	$(PY) docs/build_gallery.py
	$(PY) -m sphinx -q -b html docs docs/_build

lint: $(VENV)/.test
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir build/import-linter-cache

format: $(VENV)/.test
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

clean:
	rm -rf $(VENV) .venv-cuda build demo docs/_build docs/reference/modules docs/examples/figures docs/figures \
		docs/examples/index.md biomod.egg-info .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp in it for each set of dependencies; setup.cfg is where they are listed.
define CHECK_PYTHON
import sys
v = sys.version_info[:2]
if not (3, 11) <= v <= (3, 13):
    sys.exit("biomod needs Python 3.11 to 3.13; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 ..." % v)
try:
    import ensurepip, venv
except ImportError as error:
    sys.exit("biomod needs Python with venv and pip (on Debian and Ubuntu: apt install python3-venv); $(PYTHON) lacks %s" % error.name)
endef
export CHECK_PYTHON

$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; biomod needs Python 3.11 to 3.13" >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@echo 'Making the environment $(VENV), once: about a minute and 600 MB' >&2
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.core: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.test: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e '.[test]'
	@touch $@ $(VENV)/.core

$(VENV)/.validate: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e '.[test,neuron,export]'
	@touch $@ $(VENV)/.core $(VENV)/.test

# curand, for toolkits that come without it.
$(VENV)/.cuda: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e '.[test,cuda]' nvidia-curand
	@touch $@ $(VENV)/.core $(VENV)/.test

$(VENV)/.bench: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e '.[bench]'
	@touch $@ $(VENV)/.core

$(VENV)/.docs: setup.cfg setup.py | $(PY)
	@$(INSTALL) -e '.[docs]'
	@touch $@ $(VENV)/.core
