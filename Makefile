# `make` alone says what there is. Python's tools are always those of .venv, whatever is activated.
BIN := .venv/bin
# The lock files' tool: not a dependency of anything, so it lives beside them.
UV := .cache/uv/bin/uv
LOCK := $(UV) pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate \
	--no-header --python-version 3.11 --quiet

S3_LOCK := $(subst pyproject.toml,,$(LOCK))
BUILD_LOCK := $(S3_LOCK) --constraint requirements-dev.lock

# Tests start our programs hundreds of times: compile them once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test lint chaos bench lock render screenshots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install all that the tests need (quick when it is there)
	@scripts/setup

# Runs a command as a process group of its own.
APART := 'import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])'
# Half a gigabyte for forecasts arrives while the demo runs: nobody waits for it, and eight weeks are back-filled meanwhile.
# The installation is a process group of its own, so that it ends with the demo whatever it is doing.
demo: ## Install what the demo needs, and run it: nothing but Python is needed
	@scripts/setup demo
	@trap : INT; $(BIN)/python -c $(APART) scripts/setup planning >.venv/planning.log 2>&1 & installing=$$!; \
	$(BIN)/stream-app demo; code=$$?; kill -- -$$installing 2>/dev/null; exit $$code

lint: setup ## Check style, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

quick: ## Run the tests that start no server and no browser and are not slow, in a minute or so
	@$(BIN)/python -m pytest --quick --numprocesses auto --dist worksteal

# The tests wait for servers about a third of their time: one more of them than cores.
test: lint ## Check all, and run every test that does not need hours, side by side on all cores
	@$(BIN)/python -m pytest --numprocesses $$(($$(nproc) + 1)) --dist worksteal

chaos: setup ## Run the long fault tests; writes docs/fault-table.json
	@rm -f docs/fault-table.json
	@STREAM_APP_FAULT_TABLE=docs/fault-table.json $(BIN)/python -m pytest -m chaos -s

bench: setup ## Measure; writes benchmarks/results.json
	@$(BIN)/python -m benchmarks

render: setup ## Write all generated files: dashboards, rules, the KPI dictionary
	@$(BIN)/stream-app render

screenshots: setup ## Take the pictures of the wallboard in docs/images, of a demo that it starts
	@$(BIN)/python scripts/screenshots

lock: setup $(UV) ## Write the lock files anew; UPGRADE=1 takes the newest versions
	@$(LOCK) $(if $(UPGRADE),--upgrade) --extra demo --extra fast --extra ledger --output-file requirements.lock
	@$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --group dev --output-file requirements-dev.lock
	@echo 'moto[s3]>=5.1 flask>=3 flask-cors>=5' | tr ' ' '\n' | $(S3_LOCK) $(if $(UPGRADE),--upgrade) --output-file tests/services/s3.lock -
	@echo 'msgspec>=0.19 mypy>=2.4,<3 setuptools>=80' | tr ' ' '\n' | $(BUILD_LOCK) --output-file requirements-build.lock -
	@cp requirements-dev.lock requirements-image.lock # the versions that were tested
	@$(LOCK) --extra fast --extra forecast --extra ledger --extra parquet --output-file requirements-image.lock
	@$(LOCK) --extra demo --extra fast --extra forecast --extra ledger --constraint requirements-dev.lock --output-file requirements-demo.lock

$(UV): | setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target .cache/uv uv

clean: ## Remove all that make made, except the fetched servers
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist .cache/uv
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
