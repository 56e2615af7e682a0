# Everything a desk or CI does here. `make run` needs nothing but Python.
PORT ?= 8000
VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
bin := $(VENV)/bin
# A stamp for each state of the requirements: a second start installs nothing.
stamp = $(VENV)/installed-$(1)-$(shell cat $(2) | cksum | cut -d ' ' -f 1)
site := $(call stamp,site,requirements.txt)
dev := $(call stamp,dev,requirements.txt requirements-dev.txt)
PHOTOS ?= ../shared/photos
BENCHES ?= engine web library crash api callbacks storage circle chaos
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/test
export TEST_DATABASE_URL

.DEFAULT_GOAL := help
.PHONY: help run demo-hosted test test-sqlite test-postgresql check bench bench-engine train-parse format clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

run: $(site)  ## set everything up and run the site: make run PORT=8000
	@$(bin)/python manage.py fetch_models
	@$(bin)/python manage.py prepare
	@exec $(bin)/python manage.py up --port $(PORT)

demo-hosted: $(site)  ## two sites on one machine, one the hosted provider of the other
	@$(bin)/python manage.py fetch_models
	@exec $(bin)/python -m tools.demo_hosted --port $(PORT)

test: $(dev)  ## all tests, on SQLite and on PostgreSQL: make test ARGS="-k readme"
	@$(bin)/python manage.py fetch_models
	@$(bin)/python -m tools.both_databases $(ARGS)

test-sqlite: $(dev)  ## all tests, on SQLite alone
	@$(bin)/python manage.py fetch_models
	@echo "--- tests on SQLite"
	$(bin)/python -m pytest -n auto $(ARGS)

test-postgresql: $(dev)  ## all tests, on PostgreSQL alone
	@$(bin)/python -m tests.parts postgresql || { code=$$?; test $$code = 75; exit; }; \
	echo "--- tests on PostgreSQL"; \
	TEST_ON=postgresql $(bin)/python -m pytest -n auto $(ARGS)

check: $(dev)  ## format, lint, types, deployment checks, migrations
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy manage.py faceswap_site swaps tests bench tools
	SITE_URL=https://faces.example.org DEBUG=0 BEHIND_PROXY=1 EMAIL_HOST=localhost \
		$(bin)/python manage.py check --deploy --fail-level WARNING
	$(bin)/python manage.py makemigrations --check --dry-run

bench: $(dev)  ## measure: BENCHES="web circle", also light, quality, rotation, small_faces, tapped, fuzz, disk_full, decode; JSON also in bench-results/
	@$(bin)/python manage.py fetch_models
	@set -e; for bench in $(BENCHES); do $(bin)/python -m bench.$$bench; done

bench-engine: $(dev)  ## the engine's pictures beside the last release's: make bench-engine ARGS="--limit 6"
	@$(bin)/python manage.py fetch_models
	@$(bin)/python -m bench.pictures $(ARGS)

train-parse: $(dev)  ## train the network that parses faces again: make train-parse PHOTOS=../shared/photos
	@$(bin)/python manage.py fetch_models
	$(bin)/python -m tools.parse_training draw --photos $(PHOTOS)
	@test -e var/parse-venv/bin/python || $(PYTHON) -m venv var/parse-venv
	@var/parse-venv/bin/python -m pip install --quiet -r tools/parse_training/requirements.txt
	@set -e; for fold in 0 1 2 all; do var/parse-venv/bin/python -m tools.parse_training.train $$fold; done
	$(bin)/python -m tools.parse_training evaluate --photos $(PHOTOS)
	$(bin)/python -m tools.parse_training ship

format: $(dev)  ## put all files into shape
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

clean:  ## remove what can be made again; keeps var/ (database, pictures, models)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench-results
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and not on the PATH (PYTHON=/path/to/python3 names another)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older or missing." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(site): $(VENV)/bin/python
	@echo "Installing requirements.txt"
	@$(bin)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@rm -f $(VENV)/installed-site-* && touch $@

$(dev): $(VENV)/bin/python
	@echo "Installing requirements-dev.txt"
	@$(bin)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@rm -f $(VENV)/installed-* && touch $(site) $@
