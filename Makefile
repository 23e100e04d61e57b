# Every target is one line in front of the `lab` command; `make help` lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
LAB := .venv/bin/lab
PY := .venv/bin/python
CODE := platform/lab services labs tests bench

.PHONY: help venv venv-test reset goto status doctor down support compare test test-fast lint format mutants ci bench test-long

help: ## list every target / lister les cibles
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST)) | sed 's/lab-%/lab-01 /; s/check-%/check-01/; s/solve-%/solve-01/'

lab-%: venv ## bring lab 01 … 09 up / démarrer un lab
	@$(LAB) up $*

check-%: venv ## check a lab's exercises / vérifier les exercices
	@$(LAB) check $*

solve-%: venv ## put a lab's solution in place / mettre la solution
	@$(LAB) solve $*

reset: venv ## back to a lab's start, proven (LAB=01) / remise à zéro prouvée
	@$(LAB) reset $(LAB_NUMBER)

goto: venv ## jump to a lab's start or solution (LAB=04 STATE=solved) / aller au départ ou à la solution
	@$(LAB) goto $(LAB_NUMBER) --state $(or $(STATE),start)

status: venv ## what stands, and where / ce qui est debout
	@$(LAB) status

doctor: venv ## examine this machine (FIX=1 repairs) / examiner la machine
	@$(LAB) doctor $(if $(FIX),--fix)

support: venv ## the lab's state for a trainer, no secrets / l'état pour le formateur
	@$(LAB) support $(LAB_NUMBER)

down: venv ## remove the cluster and its files / supprimer le cluster
	@$(LAB) down

test: venv-test lint ## all but the long tests, on a cluster of its own / les tests du jour
	@$(PY) -m pytest -n 2 --dist loadscope -m "not cluster" --durations=15 && $(PY) -m pytest -m "cluster and not long" --durations=40 && $(LAB) docs figures

test-long: venv-test ## releases under faults, other days' turns / pannes, tests des autres jours
	@$(PY) -m pytest -m "cluster and long" --durations=40

test-fast: venv-test lint ## without a cluster or a database, under 2 minutes / sans cluster
	@$(PY) -m pytest -n 2 --dist loadscope -m "not cluster and not engines"

compare: venv ## measure the patterns side by side (LAB=01) / mesurer et comparer
	@$(LAB) compare $(LAB_NUMBER)

lint: venv-test ## style, types, layers / style, types, couches
	@.venv/bin/ruff check $(CODE) && .venv/bin/ruff format --check --quiet $(CODE) && .venv/bin/mypy && PYTHONPATH=services:labs/01-patterns/service:labs/02-pipelines/service:labs/04-serving/service .venv/bin/lint-imports --no-logo

format: venv-test ## format the code / mettre le code en forme
	@.venv/bin/ruff format --quiet $(CODE) && .venv/bin/ruff check --fix --quiet $(CODE)

mutants: venv ## do the checks catch every known mistake? / éprouver les vérifications
	@$(LAB) mutants

ci: venv ## prove labs end to end (LAB=01 names one) / prouver des labs de bout en bout
	@$(LAB) ci $(LAB_NUMBER) --junit build/ci/labs.xml --summary build/ci/labs.md

bench: venv-test ## measure (results under bench/results) / mesurer
	@$(PY) -m bench

venv:
	@platform/bootstrap.sh lab

venv-test:
	@platform/bootstrap.sh test

# `make reset LAB=01` names the lab; the variable LAB of this file is the command, so the command line's goes elsewhere.
LAB_NUMBER := $(if $(filter command line,$(origin LAB)),$(LAB))
override LAB := .venv/bin/lab
