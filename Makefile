# make run    the README's examples, decided by the policy
# make test   all checks and tests
# make help   the rest
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := wasm32-wasip1
MODULE := target/$(TARGET)/release/pod_runtime_class_policy.wasm
EVALUATOR := target/debug/evaluator
TOOLS := target/tools/bin
# What e2e.bats runs: kwctl where it is installed.
KWCTL ?= $(or $(shell command -v kwctl),$(EVALUATOR))

export PATH := $(CURDIR)/$(TOOLS):$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target

.PHONY: help
help: ## show this
	@sed -nE 's/^([a-z0-9.-]+):[^#]*## (.*)/  \1@\2/p' $(MAKEFILE_LIST) | column -t -s @

.PHONY: run
run: policy.wasm $(EVALUATOR) ## show the README's examples, decided by the policy
	@$(EVALUATOR) examples policy.wasm README.md

.PHONY: test
test: fmt lint cargo-tests ## run all checks and tests
	@$(MAKE) --no-print-directory e2e-tests KWCTL=$(EVALUATOR)

.PHONY: fmt
fmt: components ## check the format
	cargo fmt --all -- --check

.PHONY: lint
lint: components $(TARGET) ## run clippy, on the host and for the module
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --target=$(TARGET) --locked -- -D warnings

.PHONY: unit-tests
unit-tests: ## run the unit tests of the policy alone; they need no WebAssembly engine
	cargo test --locked

.PHONY: cargo-tests
cargo-tests: $(TARGET) ## run the unit tests, and the tests through the module
	cargo test --workspace --locked

.PHONY: e2e-tests
ifeq ($(notdir $(KWCTL)),kwctl)
e2e-tests: annotated-policy.wasm tools ## run e2e.bats, with kwctl where it is installed
	@echo "e2e.bats with $(KWCTL)"
	@KWCTL=$(KWCTL) POLICY=annotated-policy.wasm bats e2e.bats
else
e2e-tests: policy.wasm $(EVALUATOR) tools
	@echo "e2e.bats with $(KWCTL) (kwctl not found)"
	@KWCTL=$(KWCTL) POLICY=policy.wasm bats e2e.bats
endif

.PHONY: $(TARGET)
$(TARGET):
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

.PHONY: components
components:
	@for component in clippy rustfmt; do \
	  rustup component list --installed | grep -q "^$$component" || rustup component add $$component; \
	done

.PHONY: tools
tools:
	@.ci/tools $(TOOLS)

# Cargo knows best what is out of date; a file that did not change is not touched.
.PHONY: build
build: $(TARGET)
	cargo build --target=$(TARGET) --release --locked

policy.wasm: build ## build the module
	@cmp -s $(MODULE) $@ || cp $(MODULE) $@

annotated-policy.wasm: policy.wasm metadata.yml README.md ## add the metadata, with kwctl
	kwctl annotate -m metadata.yml -u README.md -o $@ policy.wasm

artifacthub-pkg.yml: metadata.yml questions-ui.yml ## make the package's page of Artifact Hub, with kwctl
	kwctl scaffold artifacthub -m metadata.yml -q questions-ui.yml

# With all that `cargo test` builds: it chooses the same features then, and nothing is built twice.
.PHONY: $(EVALUATOR)
$(EVALUATOR):
	cargo build --workspace --all-targets --locked

.PHONY: clean
clean: ## remove what was built
	cargo clean
	rm -rf node_modules playground/node_modules playground/dist policy.wasm annotated-policy.wasm

# The policies of deploy/ on a live cluster.
.PHONY: cluster-tests
cluster-tests: tools ## run cluster.bats against the cluster of the current kube context
	@bats cluster.bats

# The playground: the page that runs the module in a browser.
PLAYGROUND := playground/node_modules/.package-lock.json

$(PLAYGROUND): playground/package-lock.json
	cd playground && npm ci --no-audit --no-fund

.PHONY: playground
playground: policy.wasm $(PLAYGROUND) ## build the playground and serve it on http://127.0.0.1:4173
	cd playground && npm run build && npm run serve

.PHONY: test-playground
test-playground: policy.wasm $(EVALUATOR) $(PLAYGROUND) ## test the playground in headless Chromium
	cd playground && npm run chromium && npm test
