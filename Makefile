PYTHON ?= python3
COLAB_PYTHON ?= python3.13

.PHONY: demo test quick test-newest test-colab lab site build

demo:  ## run lab 4's solution, print its results, grade six sample submissions
	$(PYTHON) -m efficientlab demo

test:  ## run every test: lint, types, units, mutants, notebooks
	$(PYTHON) -m efficientlab test

quick:  ## run lint, types and the units that take no time: the loop of a contributor
	$(PYTHON) -m efficientlab test --quick

test-newest:  ## run every test with the newest release of every package, in an environment of its own
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable ".[dev]"
	build/newest/bin/python -m efficientlab test

test-colab:  ## run every solution on Colab's versions, and the kernels' tests on its triton; needs Python 3.13
	$(COLAB_PYTHON) -m venv build/colab
	build/colab/bin/python -m pip install --quiet --requirement tests/colab/versions.txt hypothesis
	PYTHONPATH=. build/colab/bin/python -m pytest tests/kernels/test_aot.py tests/kernels/test_triton_interpreter.py
	$(PYTHON) -m efficientlab test tests/colab

lab:  ## open JupyterLab on the labs
	$(PYTHON) -m efficientlab lab

site:  ## build the course's site in build/site/html
	$(PYTHON) -m efficientlab site

build:  ## rebuild the notebooks from solutions/*.py
	$(PYTHON) -m efficientlab build
