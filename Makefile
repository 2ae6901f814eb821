# `make help` lists what can be made. Everything is set up in $(VENV), once, and again when what it depends on changes.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --annotation-style line

.DELETE_ON_ERROR:
.PHONY: help demo test test-backstage faults bench check format-check lint types contracts dependencies current schemas lock format clean

help: ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Run everything on a sample organisation, in nthlayer-demo/.
	$(BIN)/nthlayer-sync demo --fresh

test: $(VENV)/test ## Run the tests; ARGS='-k yaml' picks some.
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -r fEs $(ARGS)

faults: export NTHLAYER_FAULTS = full
faults: export NTHLAYER_MEGABYTES = 100
faults: $(VENV)/test ## Run every fault at full size: 10,000 entities, 500 kills, 1,000 idle runs.
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -r fEs --timeout 900 tests/faults $(ARGS)

test-backstage: $(VENV)/test ## Build the Backstage plugins and run them in a real Backstage, in a browser too; needs Node 22 or 24.
	cd backstage-plugin && npm ci --no-audit --no-fund
	cd backstage-plugin && npm run types && npm test && \
		NTHLAYER_SYNC="$(abspath $(BIN))/nthlayer-sync" npm run test:browser
	NTHLAYER_NODE="$$(command -v node)" $(BIN)/python -m pytest -r fEs tests/backstage

bench: $(VENV)/test ## Measure speed and memory.
	$(BIN)/python bench/run.py $(ARGS)

check: format-check lint types contracts dependencies current ## Run the linters, the type checker and the import contracts.

format-check: $(VENV)/dev
	$(BIN)/ruff format --check .

lint: $(VENV)/dev
	$(BIN)/ruff check .

# Without the variable it asks a server for newer versions.
types: $(VENV)/dev
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

contracts: $(VENV)/dev
	$(BIN)/lint-imports --no-cache --no-logo

dependencies: $(VENV)/dev
	$(BIN)/deptry .

current: $(VENV)/dev
	rm -rf $(VENV)/schemas && mkdir $(VENV)/schemas
	$(BIN)/python -m nthlayer_sync.cli.schemas $(VENV)/schemas
	for made in $(VENV)/schemas/*; do \
		diff "catalog-schemas/$${made##*/}" "$$made" || { echo "make schemas"; exit 1; }; \
	done

schemas: $(VENV)/run ## Write catalog-schemas/ anew from the models.
	$(BIN)/python -m nthlayer_sync.cli.schemas catalog-schemas

format: $(VENV)/dev ## Format the code.
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: $(VENV)/dev ## Pin the dependencies of pyproject.toml; UPGRADE=--upgrade takes newer ones.
	$(LOCK) $(UPGRADE) pyproject.toml --group dev -o requirements-dev.txt
	for file in requirements requirements-build requirements-test deploy/requirements; do \
		cp requirements-dev.txt $$file.txt; \
	done
	$(LOCK) pyproject.toml --group test -o requirements-test.txt
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --all-extras -o deploy/requirements.txt
	$(LOCK) --group build -o requirements-build.txt

clean: ## Remove what was made.
	rm -rf $(VENV) nthlayer-demo build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/run: requirements.txt requirements-build.txt
$(VENV)/test: requirements-test.txt
$(VENV)/dev: requirements-dev.txt
$(VENV)/run $(VENV)/test $(VENV)/dev: $(VENV)/pyvenv.cfg pyproject.toml
	$(PIP) install --require-hashes $(patsubst %,-r %,$(filter requirements%,$^))
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
