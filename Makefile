# Every target installs the tools it needs: uv from PyPI into .tools/, then a virtual environment in .venv/.
# Programs run as modules: a script's first line has the path of the environment that it was installed into.
# The machine needs Python 3.11 or later with pip, and make.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := .venv/bin/python
# By file: no process waits for a warehouse that another one builds.
PYTEST := $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export UV_CACHE_DIR ?= $(CURDIR)/.tools/cache
export UV_NO_PROGRESS := 1
# Use the machine's certificates, which may include a company's own, not those built into uv.
export UV_SYSTEM_CERTS ?= 1

# Texts of the command line reach programs through the environment, as typed: neither make nor the shell expands them.
# Recipes quote them ("$$REASON"), and give options as --option="...", which takes a text that begins with a dash.
TEXTS := RELOAD PORT METRICS BY WHERE ORDER LIMIT TO REASON RELEASE NAME LIKE BASE KILLS SEED HISTORIES STEPS DAYS LANDING \
	REPLAY READERS PUBLICATIONS SEEDS MINUTES PAIRS ROWS FORCE ANYWAY YES DRY_RUN REBUILD PYTHON UNITS SERVICE_USER
$(foreach text,$(TEXTS),$(if $(filter-out undefined,$(origin $(text))),$(eval override $(text) := $$(value $(text)))$(eval export $(text))))

.DEFAULT_GOAL := help
.PHONY: help run dev install install-service report sql metrics superset superset-env superset-lock test test-slow test-changed test-crashes test-full-disk test-week test-histories test-readers test-readers-elsewhere test-corrupt-files test-fuzz kill crowd corpus audit lint glossary format bench bench-full bench-everyday docs new-source status verify publish upload rollback reject accept forget rebuild prune clean clean-warehouse missing-interpreter

help: ## list the targets
	@grep -hE '^[a-z -]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# A run that native code has ended (SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV) starts once more: the
# new run sets the release aside that set it off.
run: .venv/ready ## load new releases, build, check, publish (RELOAD=source/date loads one again)
	@$(RUN) -m dagster_project run $${RELOAD:+--reload="$$RELOAD"} || { code=$$?; \
		case $$code in 132|134|135|136|139) \
			echo "native code has ended the run; starting again$${RELOAD:+, without RELOAD}" >&2; \
			exec $(RUN) -m dagster_project run;; \
		esac; exit $$code; }

dev: .venv/ready ## open the Dagster UI on http://127.0.0.1:3000 (PORT=another)
	@$(RUN) -m dagster_project dev $${PORT:+--port="$$PORT"}

install: .venv/ready ## only install the packages

install-service: .venv/ready ## write systemd units for this checkout (UNITS=folder SERVICE_USER=name PORT=of the UI)
	@$(RUN) -m dagster_project install-service $${UNITS:+--to="$$UNITS"} $${SERVICE_USER:+--user="$$SERVICE_USER"} $${PORT:+--port="$$PORT"}

report: .venv/ready ## write the report on the live publication: warehouse/report/index.html (TO=folder for readers)
	@$(RUN) -m dagster_project report $${TO:+--to="$$TO"}

sql: .venv/ready ## open a SQL shell on the published file, read-only
	@$(RUN) -m dagster_project sql

superset: .venv-superset/ready ## open Apache Superset with a dashboard on http://127.0.0.1:8088 (PORT=another)
	@.venv-superset/bin/python superset/start.py $${PORT:+--port="$$PORT"}

superset-env: .venv-superset/ready ## install Superset into .venv-superset/; without it its tests are skipped

superset-lock: $(UV) ## lock Superset's packages after a change to superset/requirements.in
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make superset-lock" superset/requirements.in -o superset/requirements.txt

metrics: .venv/ready ## query metrics: make metrics METRICS="receipts balance" BY=reporter__region ORDER=-receipts
	@$(RUN) -m dagster_project metrics $${BY:+--by="$$BY"} $${WHERE:+--where="$$WHERE"} $${ORDER:+--order="$$ORDER"} $${LIMIT:+--limit="$$LIMIT"} -- "$$METRICS"

test: .venv/ready ## test the behaviour that a change can break (minutes)
	@$(PYTEST) -m "not slow"

test-slow: .venv/ready ## test crashes, readers, corrupt files, a simulated year, Superset, the browser
	@$(PYTEST) --dist loadgroup -m "slow"

test-changed: .venv/ready ## test what the diff to the branch main touches (BASE=another)
	@files=$$($(RUN) -m tests.changed "$${BASE:-main}") && echo $$files | xargs --no-run-if-empty $(PYTEST)

test-crashes: .venv/ready ## kill runs, daemon and PostgreSQL, check the warehouse after each kill (KILLS=300 SEED=1; goes on where it was)
	@$(RUN) -m tests.survival.crash_series --kills="$${KILLS:-300}" $${SEED:+--seed="$$SEED"} \
		--folder .cache/crashes --results benchmarks/results/crashes.json

test-full-disk: .venv/ready ## let the disk be full at every 64 KB of the last megabyte of a run (root, who may mount one)
	@$(RUN) -m tests.survival.full_disk --folder .cache/full_disk --results benchmarks/results/full_disk.json

test-week: .venv/ready ## let a service run for a simulated week: memory, open files and disk stay flat (DAYS=7)
	@$(RUN) -m tests.survival.week --days="$${DAYS:-7}" --folder .cache/week --results benchmarks/results/week.json

test-histories: .venv/ready ## draw histories and show that each warehouse equals one built from nothing (HISTORIES=10 STEPS=8 SEED=1 LANDING=folder)
	@$(RUN) -m tests.survival.histories --histories="$${HISTORIES:-10}" --steps="$${STEPS:-8}" \
		$${SEED:+--seed="$$SEED"} $${LANDING:+--landing="$$LANDING"} $${REPLAY:+--replay="$$REPLAY"} \
		--folder .cache/histories --results benchmarks/results/histories$${LANDING:+_landing}.json

test-readers: .venv/ready ## let many clients read during many publications (READERS=50 PUBLICATIONS=20)
	@$(RUN) -m tests.survival.readers --readers="$${READERS:-50}" --publications="$${PUBLICATIONS:-20}" --folder .cache/readers

test-readers-elsewhere: .venv/ready .venv-bench/ready ## the same over HTTP and S3, from object storage (READERS=50 PUBLICATIONS=20)
	@$(RUN) -m tests.survival.object_readers --readers="$${READERS:-50}" --publications="$${PUBLICATIONS:-20}" \
		--folder .cache/object_readers --results benchmarks/results/object_readers.json

lint: .venv/ready ## check style, types, SQL formatting, imports, dependencies and words
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m sqlfmt --check --quiet dbt dagster_project expectations
	@$(RUN) -c "from importlinter.cli import lint_imports_command as lint; lint(prog_name='lint-imports')" --no-logo --no-cache
	@$(RUN) -m deptry .
	@$(MAKE) --no-print-directory glossary

glossary: .venv/ready ## list words that the house avoids, with better ones
	@if git rev-parse --git-dir >/dev/null 2>&1; then \
		PRE_COMMIT_HOME="$$PWD/.cache/pre-commit" $(RUN) -m pre_commit run glossary --all-files --color never; \
	else echo "GLOSSARY NOT CHECKED: git, which lists the files, is missing, or this is not a clone" >&2; fi

test-corrupt-files: .venv/ready ## break every landing file in every way we know (minutes; SEEDS=n times each)
	@$(RUN) -m tests.corpus $${SEEDS:+--seeds="$$SEEDS"}

test-fuzz: .venv/ready ## read files that are changed at random, in every layout (MINUTES=10 SEED=1)
	@$(RUN) -m tests.security --minutes="$${MINUTES:-10}" $${SEED:+--seed="$$SEED"}

# The names until 0.2. Version 0.5 removes them, and ANYWAY below.
kill crowd corpus:
	@echo "make $@ is now make $(RENAMED_$@); the old name works until 0.5" >&2
	@$(MAKE) --no-print-directory $(RENAMED_$@)
RENAMED_kill := test-crashes
RENAMED_crowd := test-readers
RENAMED_corpus := test-corrupt-files

audit: $(UV) ## check locked dependencies for known vulnerabilities
	@UV=$(UV) .ci/audit

format: .venv/ready ## format Python and SQL
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .
	@$(RUN) -m sqlfmt --quiet dbt dagster_project expectations

bench: .venv-bench/ready ## compare the pipeline with a hand-written script, 1 million rows (minutes)
	@.venv-bench/bin/python -m benchmarks.bench --only ingest,bulk,nothing_new,queries,sensor --pairs 1

bench-full: .venv-bench/ready ## the same up to 49.6 million rows (hours, 15 GB of disk below TMPDIR)
	@.venv-bench/bin/python -m benchmarks.bench --full

bench-everyday: .venv-bench/ready ## what an everyday run costs, 49.6 million rows (two hours; ROWS=1000000 PAIRS=1: minutes)
	@.venv-bench/bin/python -m benchmarks.bench --everyday --pairs="$${PAIRS:-5}" $${ROWS:+--largest="$$ROWS"}

docs: .venv/ready ## write the data dictionary and the tables of the gate policy
	@$(RUN) -m dagster_project docs

new-source: .venv/ready ## write the skeleton of a source (NAME=bank_of_x LIKE=boj_balance_of_payments)
	@$(RUN) -m tests.new_source

status: .venv/ready ## show the live publication, current releases, and rejected ones with reasons
	@$(RUN) -m dagster_project status

verify: .venv/ready ## verify the published file, its downloads and signature (REBUILD=1 builds it again and compares)
	@$(RUN) -m dagster_project verify $(if $(REBUILD),--rebuild)

publish: .venv/ready ## rebuild everything from the current releases and publish it
	@$(RUN) -m dagster_project publish

upload: .venv/ready ## put the live publication into object storage (FORCE=1 replaces another warehouse's)
	@$(RUN) -m dagster_project upload $(if $(FORCE),--force)

rollback: .venv/ready ## roll back to the previous publication (TO=publication REASON="...")
	@$(RUN) -m dagster_project rollback $${TO:+--to="$$TO"} $${REASON:+--reason="$$REASON"}

reject: ## reject an accepted release (RELEASE=source/date REASON="...")
accept: ## accept a release that its gate rejected (RELEASE=source/date REASON="...")
forget: ## delete a release's rows and entries (RELEASE=source/date REASON="...")
reject accept forget: .venv/ready
	@$(RUN) -m dagster_project $@ --reason="$$REASON" -- "$$RELEASE"

rebuild: .venv/ready ## rebuild the workbench from the landing folder and publish (FORCE=1 if files are lost)
	@$(if $(ANYWAY),echo "ANYWAY is now FORCE; the old name works until 0.5" >&2;) \
		$(RUN) -m dagster_project rebuild $(if $(FORCE)$(ANYWAY),--force)

prune: .venv/ready ## remove old runs, logs, ledger entries and publications (DRY_RUN=1 only lists them)
	@$(RUN) -m dagster_project prune $(if $(DRY_RUN),--dry-run)

clean: ## remove everything installed or cached; no data: warehouse, run history and landing/ stay
	rm -rf .venv .venv-bench .venv-superset .tools .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt/target dbt/logs

clean-warehouse: .venv/ready ## list what is in the warehouse folder, ask, and remove it with ledger and decisions (YES=1: do not ask)
	@$(RUN) -m dagster_project clean-warehouse $(if $(YES),--yes)

# The marker has the checksum of the installed lock file: a copied or read-only checkout, whose files may have
# any time, installs nothing. A copy without its interpreter does.
.venv/ready: pyproject.toml uv.lock $(shell test -x .venv/bin/python || echo missing-interpreter)
	@if test -x .venv/bin/python && cat pyproject.toml uv.lock | cksum | cmp -s - $@; then \
		touch $@ 2>/dev/null || true; \
	else \
		$(MAKE) --no-print-directory $(UV) && \
		echo "installing the packages of uv.lock into .venv/ (about 150 MB, once)" && \
		$(UV) sync --frozen --compile-bytecode --quiet --python "$$PYTHON" && \
		cat pyproject.toml uv.lock | cksum >$@; \
	fi

.venv-superset/ready: superset/requirements.txt | $(UV)
	@echo "installing the packages of superset/requirements.txt into .venv-superset/ (about 700 MB, once)"
	@$(UV) venv --quiet --allow-existing --python "$$PYTHON" .venv-superset
	@$(UV) pip sync --quiet --require-hashes --python .venv-superset/bin/python superset/requirements.txt
	@touch $@

# The benchmarks have an environment of their own, with other loaders to compare with.
.venv-bench/ready: pyproject.toml uv.lock | $(UV)
	@echo "installing the packages of uv.lock and its group bench into .venv-bench/"
	@UV_PROJECT_ENVIRONMENT=.venv-bench $(UV) sync --frozen --no-dev --group bench --compile-bytecode --quiet --python "$$PYTHON"
	@touch $@

$(UV):
	@echo "installing uv $(UV_VERSION) into .tools/"
	@"$$PYTHON" -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore --target .tools "uv==$(UV_VERSION)"
