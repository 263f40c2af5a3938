# The developer's commands. CI calls these and only these.
.DEFAULT_GOAL := help
.PHONY: help run check fmt clippy docs test test-rust bench schemas clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## Judge the example sessions (exit 1 only says that signals were found)
	cargo run --quiet --release --bin llmscope-cli -- analyze examples/sessions/*.json --by session || test $$? -eq 1

check: fmt clippy docs ## Format, lints, documentation: all must be clean

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

test: ## All tests, every feature combination of the core, and the examples
	cargo test -p llmscope-core --locked
	cargo test --workspace --all-features --locked

bench: ## Criterion benchmarks of the hot paths
	cargo bench -p llmscope-benches

schemas: ## Write the JSON Schemas in docs/ anew
	cargo run --quiet --bin llmscope-cli -- schema session > docs/session.schema.json
	cargo run --quiet --bin llmscope-cli -- schema report > docs/report.schema.json

clean: ## Remove what was built
	cargo clean
