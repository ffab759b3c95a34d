PYTHON ?= python3

.PHONY: demo test lab build

demo:  ## run lab 4's solution, print its results, check three sample submissions
	$(PYTHON) -m efficientlab demo

test:  ## run every test: lint, types, units, mutants, notebooks
	$(PYTHON) -m efficientlab test

lab:  ## open JupyterLab on the labs
	$(PYTHON) -m efficientlab lab

build:  ## rebuild the notebooks from solutions/*.py
	$(PYTHON) -m efficientlab build
