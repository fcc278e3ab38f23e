# Almoner's commands. `make` alone lists them. Needed: Python 3.11 or newer, make, git.
.DEFAULT_GOAL := help
.PHONY: help run test check check-style check-types check-imports check-pages check-database \
	check-deploy bench shell lock clean environment environment-dev
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
RUNNER := $(PYTHON) -m config.runner
UV := UV_SYSTEM_CERTS=1 .venv/bin/uv
ARGS ?=

# Settings are read to check types, but no database is opened for it.
NO_DATABASE := DATABASE_URL=postgresql://almoner@/almoner \
	DATABASE_OWNER_URL=postgresql://almoner_owner@/almoner
# A production's settings, for Django's own deployment check.
PRODUCTION := BASE_URL=https://ledger.example STRIPE_SECRET_KEY=sk_test_only_checked \
	SECRET_KEY=only-checked-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: environment ## everything: database, sandbox Stripe, web server, worker, demo (http://localhost:8000)
	@exec $(RUNNER) run

test: environment-dev ## every test; ARGS="tests/ledger -k fork" for some of them
	@exec $(PYTHON) -m pytest -n auto $(if $(ARGS),$(ARGS),--cov)

check: check-style check-types check-imports check-pages check-database check-deploy ## linters, types, import contracts, templates, migrations, deployment

check-style: environment-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

check-types: environment-dev
	$(NO_DATABASE) $(PYTHON) -m mypy .

check-imports: environment-dev
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as run; run()'

check-pages: environment-dev
	$(PYTHON) -m djlint --check --lint --quiet templates

check-database: environment-dev
	DATA_DIR=.data/check $(RUNNER) shell manage.py makemigrations --check --dry-run

check-deploy: environment-dev
	$(NO_DATABASE) $(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: environment-dev ## the benchmarks, ten minutes; ARGS="append webhooks" for some of them
	@DATA_DIR=.data/bench exec $(RUNNER) shell -m bench $(ARGS)

shell: environment ## one command beside the running Almoner, or alone: make shell ARGS="manage.py …"
	@exec $(RUNNER) shell $(if $(ARGS),$(ARGS),manage.py shell)

lock: environment ## write every requirements*.txt anew from its requirements*.in
	$(UV) pip compile $(LOCK) requirements.in -o requirements.txt $(ARGS)
	$(UV) pip compile $(LOCK) requirements-s3.in -c requirements.txt -o requirements-s3.txt $(ARGS)
	$(UV) pip compile $(LOCK) requirements.in requirements-s3.in requirements-dev.in \
		-c requirements.txt -c requirements-s3.txt -o requirements-dev.txt $(ARGS)
	$(UV) pip compile $(LOCK) bench/requirements.in -o bench/requirements.txt $(ARGS)
	echo uv | $(UV) pip compile $(LOCK) - -o requirements-uv.txt $(ARGS)
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header

clean: ## remove the environment and what tools left behind; the data in .data stays
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.* htmlcov test-results

# The environment holds a copy of the requirements it was made from: it is made again only when they
# differ. pip takes over where uv cannot work, which is slower.
environment:
	@[ -x $(PYTHON) ] && cmp -s requirements.txt .venv/requirements.txt || $(call install,requirements.txt)

environment-dev:
	@[ -x $(PYTHON) ] && cmp -s requirements-dev.txt .venv/requirements-dev.txt || $(call install,requirements-dev.txt)

define install
{ \
	for python in python3 python3.13 python3.12 python3.11 none; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
		echo "Almoner needs Python 3.11 or newer, and finds none as python3." >&2; exit 1; \
	fi; \
	echo "Making the environment in .venv (once) …" >&2; \
	[ -x $(PYTHON) ] || rm -rf .venv; \
	pip="$(PYTHON) -m pip --disable-pip-version-check install --quiet --root-user-action=ignore"; \
	[ -x .venv/bin/uv ] || { \
		$$python -m venv .venv && $$pip --require-hashes -r requirements-uv.txt || exit 1; }; \
	$(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes -r $1 \
		|| $$pip --require-hashes -r $1 || exit 1; \
	cp $(sort requirements.txt $1) .venv/; \
}
endef
