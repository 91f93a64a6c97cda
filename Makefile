# `make demo` and `make test` work from a fresh checkout with Python 3.11+ and make: each makes `.venv` itself.

PYTHON ?= python3
BIN := .venv/bin
NNREUSE := $(BIN)/nnreuse
DATA := build/demo-data
BENCH := build/bench-data

.PHONY: oracle wild quiet demo test judge test-vscode vsix lint catalog docs bench clean

demo: .venv/installed $(DATA)/timm
	@echo "== The slips in examples/article, with their evidence"
	@$(NNREUSE) check --exit-zero examples/article
	@echo "== What the fixes would change in one of them"
	@$(NNREUSE) check --exit-zero --diff --unsafe-fixes examples/article/model.py
	@echo "== A real library: timm 1.0.31"
	@$(NNREUSE) check --exit-zero --min-severity warning --output-format concise $(DATA)/timm
	@$(NNREUSE) check --exit-zero --statistics --output-format concise $(DATA)/timm

test: .venv/installed-test $(BENCH)/timm $(BENCH)/ultralytics build/wild-data/installed
	NNREUSE_SEQUENCES=2000 NNREUSE_PROGRAMS=5000 $(BIN)/python -m pytest -n 2 --dist worksteal
	@$(MAKE) --no-print-directory test-vscode

# Packages whose warnings have been read one by one: tests/wild/packages.tsv. Each has a folder of its own, as a checkout has.
WILD := build/wild-data
WILD_PACKAGES := cogdl==0.6 DI-engine==0.5.3 deepchem==2.8.0 gluonts==0.17.0 neuralforecast==3.3.0 super-gradients==3.7.1
$(WILD)/installed: | .venv/bin/python
	@for package in $(WILD_PACKAGES); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
	    --target $(WILD)/$${package%%==*} $$package || exit 1; \
	done
	@touch $@

# How often warnings are right over a folder of checkouts (`owner+name`): make wild CHECKOUTS=folder
wild: .venv/installed
	$(BIN)/python tests/wild/bench.py $(CHECKOUTS) --command $(NNREUSE)

# What is found in good code, as a file; a change of it shows as a diff, to be read line by line.
quiet: .venv/installed $(BENCH)/timm $(BENCH)/ultralytics
	PYTHONPATH=server $(BIN)/python tests/quiet/summary.py $(BENCH) > tests/quiet/findings.txt

# What torch calls in models of libraries that are installed for this alone, and how much of it the static tracer says.
ORACLE := build/oracle
oracle: .venv/installed-test $(ORACLE)/installed
	@for plan in monai x_transformers pytorchcv; do \
	  PYTHONPATH=tests/tracing $(BIN)/python tests/oracle/record.py $$plan $(ORACLE)/site > $(ORACLE)/$$plan.jsonl && \
	  PYTHONPATH=server $(BIN)/python tests/oracle/score.py $(ORACLE)/$$plan.jsonl $(ORACLE)/site || exit 1; \
	done

$(ORACLE)/installed: | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(ORACLE)/site monai==1.6.1 \
	  x-transformers==2.31.10 einops==0.8.2 einx loguru frozendict torch-einops-utils pytorchcv==0.0.74 \
	  requests urllib3 idna certifi charset-normalizer
	@touch $@

# The VS Code extension: style, types, unit tests, and sessions played in a real VS Code. What cannot be installed is
# skipped with a line that says so.
test-vscode: .venv/installed
	@vscode-client/scripts/test.sh $(BIN)/python

# The extension with the server's wheels, to install offline. TARGET: linux-x64, linux-arm64, darwin-x64, darwin-arm64,
# win32-x64, or universal, which fetches what the server depends on when it is first used.
TARGET ?= linux-x64
vsix: .venv/installed node_modules/.package-lock.json
	node vscode-client/scripts/vsix.mjs $(BIN)/python $(TARGET)

# Torch judges the fixes over the classes of two libraries: some four minutes.
judge: .venv/installed-test $(BENCH)/timm
	PYTHONPATH=server:tests/fixes $(BIN)/python tests/fixes/judge_real_classes.py $(BENCH) --at-least 60

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	PYTHONPATH=server $(BIN)/lint-imports

# What torch's own modules carry, asked of torch itself; the answer is committed.
catalog: .venv/installed-test
	$(BIN)/python server/nnreuse/probe.py --write server/nnreuse/types/torch_catalog.json

# The rules' pages, as their docstrings say; a page whose rule is gone goes too. And the schema of the settings.
docs: .venv/installed
	@mkdir -p docs/rules && rm -f docs/rules/*.md
	@for name in $$($(BIN)/python -c "from nnreuse.rules.registry import names; print(*names())"); do \
	  $(NNREUSE) rule $$name > docs/rules/$$name.md || exit 1; \
	done
	@$(NNREUSE) schema > docs/nnreuse.schema.json

# Where the time of a scan goes, then scan times beside ruff's and TorchFix's. TorchFix has an environment of its own: its libcst is not ours to choose.
bench: .venv/installed-test .venv-bench/installed $(BENCH)/timm
	@for library in torchvision timm; do $(BIN)/python tests/bench/scan.py $(BENCH)/$$library; done
	@$(BIN)/python tests/bench/retrace.py
	@for library in torchvision timm; do \
	  echo "== $$library: nnreuse, ruff, TorchFix"; \
	  bash -c "time $(NNREUSE) check --exit-zero --statistics $(BENCH)/$$library"; \
	  bash -c "time $(BIN)/ruff check --isolated --quiet --exit-zero --statistics --no-cache $(BENCH)/$$library >/dev/null"; \
	  bash -c "time .venv-bench/bin/torchfix --select=ALL $(BENCH)/$$library >/dev/null 2>&1"; \
	done; true

clean:
	rm -rf .venv .venv-bench build dist node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(WARM)
	@touch $@

.venv/installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@$(WARM)
	@touch $@ .venv/installed

# pip compiles what it installs, but not what it only points to; and a server that nobody speaks to remembers its start.
WARM = $(BIN)/python -m compileall -q server/nnreuse && PYTHONDONTWRITEBYTECODE= $(NNREUSE) server </dev/null

node_modules/.package-lock.json: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.venv-bench/installed: | .venv/bin/python
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check torchfix==0.7.0
	@touch $@

# Source code to scan, never imported: hence without what it depends on.
$(DATA)/timm: | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target $(DATA) timm==1.0.31

$(BENCH)/ultralytics: | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target $(BENCH) ultralytics==8.4.190

$(BENCH)/timm: | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target $(BENCH) \
	  torchvision==0.28.0 timm==1.0.31
