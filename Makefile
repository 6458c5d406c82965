# make run    the README's examples, decided by the policy
# make test   all checks and tests
# make help   the rest
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := wasm32-wasip1
# The command has the same module inside, from the same folder.
MODULE := target/module/$(TARGET)/release/pod_runtime_class_policy.wasm
COMMAND := target/debug/kubectl-runtime_class
TOOLS := target/tools/bin
# What e2e.bats runs: kwctl where it is installed.
KWCTL ?= $(or $(shell command -v kwctl),$(COMMAND))

export PATH := $(CURDIR)/$(TOOLS):$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target

.PHONY: help
help: ## show this
	@sed -nE 's/^([a-z0-9.-]+):[^#]*## (.*)/  \1@\2/p' $(MAKEFILE_LIST) | column -t -s @

# It compiles the module once: an engine that is optimized for that takes longer to build.
UNOPTIMIZED := $(foreach crate,cranelift-codegen regalloc2 wasmparser,--config profile.dev.package.$(crate).opt-level=0)

.PHONY: run
run: $(TARGET) ## show the README's examples, decided by the policy
	@cargo run --locked $(UNOPTIMIZED) --package tests --bin readme README.md

.PHONY: test
test: fmt lint cargo-tests checks ## run all checks and tests
	@$(MAKE) --no-print-directory e2e-tests KWCTL=$(COMMAND)

.PHONY: checks
checks: supply-chain workflows monitoring-tests ## run the checks that install tools

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
e2e-tests: policy.wasm $(COMMAND) tools
	@echo "e2e.bats with $(KWCTL) (kwctl not found)"
	@KWCTL=$(KWCTL) POLICY=policy.wasm bats e2e.bats
endif

# The Rust of rust-toolchain.toml.
.PHONY: toolchain
toolchain:
	@rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install --no-self-update

.PHONY: $(TARGET)
$(TARGET): toolchain
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

.PHONY: components
components: toolchain
	@for component in clippy rustfmt; do \
	  rustup component list --installed | grep -q "^$$component" || rustup component add $$component; \
	done

.PHONY: tools
tools:
	@.ci/tools $(TOOLS)

# Cargo knows best what is out of date; a file that did not change is not touched.
.PHONY: build
build: $(TARGET)
	cargo build --target=$(TARGET) --release --locked --target-dir target/module

policy.wasm: build ## build the module
	@cmp -s $(MODULE) $@ || cp $(MODULE) $@

annotated-policy.wasm: policy.wasm metadata.yml README.md ## add the metadata, with kwctl
	kwctl annotate -m metadata.yml -u README.md -o $@ policy.wasm

artifacthub-pkg.yml: metadata.yml questions-ui.yml ## make the package's page of Artifact Hub, with kwctl
	kwctl scaffold artifacthub -m metadata.yml -q questions-ui.yml

# With the features that `cargo test` chooses: the engine is not built twice.
.PHONY: $(COMMAND)
$(COMMAND): $(TARGET)
	cargo build --workspace --bins --tests --locked

.PHONY: native-guard
native-guard: $(COMMAND) ## render deploy/native-guard.yml again
	$(COMMAND) native -f deploy/cluster.yml --classes test_data/runtimeclasses.list.json >deploy/native-guard.yml

# A static command: apt-get install musl-tools.
DIST_TARGET ?= $(shell uname -m)-unknown-linux-musl

.PHONY: dist
dist: $(TARGET) ## build an archive of the command for DIST_TARGET, in target/archives
	@.ci/dist $(DIST_TARGET)

.PHONY: test-dist
test-dist: dist ## unpack that archive into an empty PATH, and run what the README shows
	@.ci/test-dist $(DIST_TARGET)

.PHONY: clean
clean: ## remove what was built
	cargo clean
	rm -rf .ci/node_modules playground/node_modules playground/dist playground/*.wasm policy.wasm annotated-policy.wasm

# The policies of deploy/ on a live cluster.
.PHONY: cluster-tests
cluster-tests: tools ## run cluster.bats against the cluster of the current kube context
	@bats cluster.bats

# The playground: the page that runs the module in a browser.
PLAYGROUND := playground/node_modules/.package-lock.json

$(PLAYGROUND): playground/package-lock.json
	cd playground && npm ci --no-audit --no-fund

# The core of the rehearsal: the page loads the one with CEL only for policies with matchConditions.
CORE = cargo build --package rehearsal-guest --target=$(TARGET) --profile guest --locked
BUILT_CORE := target/$(TARGET)/guest/rehearsal_guest.wasm

.PHONY: playground-core
playground-core: $(TARGET)
	$(CORE)
	@cmp -s $(BUILT_CORE) playground/core.wasm || cp $(BUILT_CORE) playground/core.wasm
	$(CORE) --features cel
	@cmp -s $(BUILT_CORE) playground/core-cel.wasm || cp $(BUILT_CORE) playground/core-cel.wasm

.PHONY: playground
playground: policy.wasm playground-core $(PLAYGROUND) ## build the playground and serve it on http://127.0.0.1:4173
	cd playground && npm run build && npm run serve

.PHONY: test-playground
test-playground: policy.wasm playground-core $(COMMAND) $(PLAYGROUND) ## test the playground in headless Chromium
	cd playground && npm run chromium && npm test

# Proof: docs/assurance.md says what these show.
FUZZ_TARGETS := validate structured settings host
FUZZ_SECONDS ?= 60
EVALUATIONS ?= 1000000
MUTANTS_ARGS ?=

# Installs a tool of a version into target/tools, unless it is installed.
cargo-tool = @command -v $(1) >/dev/null || cargo install --quiet --locked --debug --root target/tools $(1)@$(2)

# Fuzzing needs unstable flags of rustc; the policy has no unsafe code, so the properties are all that is looked for.
.PHONY: fuzz
fuzz: ## fuzz each target for FUZZ_SECONDS
	$(call cargo-tool,cargo-fuzz,0.13.2)
	@for target in $(FUZZ_TARGETS); do \
	  mkdir -p target/fuzz/$$target; \
	  RUSTC_BOOTSTRAP=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=3 \
	    cargo fuzz run --fuzz-dir crates/fuzz --sanitizer none --features libfuzzer $$target target/fuzz/$$target crates/fuzz/corpus/$$target -- \
	    -dict=crates/fuzz/dictionary -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1; \
	done

# Most mutants are caught natively, in seconds: by the corpus, by the whole space or by the unit tests. The tests
# through the module judge only the rest, as they build the engine first. A mutant that hangs is caught as well.
# The packages are arguments of Cargo: then cargo-mutants checks that the tests of all of them pass without a mutant.
CARGO_MUTANTS := env -u CARGO_TARGET_DIR cargo mutants --package pod-runtime-class-policy --output target

.PHONY: mutants
mutants: $(TARGET) ## change src/ in every way that cargo-mutants knows, and see a test fail for each
	$(call cargo-tool,cargo-mutants,27.1.0)
	CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=none $(CARGO_MUTANTS) --jobs $$(nproc) $(MUTANTS_ARGS) \
	  --cargo-arg=--package=fuzz -- -- --include-ignored || [[ $$? == [23] ]]
	cat target/mutants.out/timeout.txt >> target/mutants.out/caught.txt
	$(CARGO_MUTANTS) --iterate $(MUTANTS_ARGS) \
	  --cargo-arg=--package=tests --cargo-arg=--test=module -- -- --skip reproducible:: --skip space::

.PHONY: coverage
coverage: ## show what the whole space and the corpus reach in src/
	@rustup component list --installed | grep -q ^llvm-tools || rustup component add llvm-tools
	$(call cargo-tool,cargo-llvm-cov,0.9.1)
	cargo llvm-cov clean --workspace
	cargo llvm-cov test --no-report --locked --package fuzz -- --include-ignored
	cargo llvm-cov report --no-default-ignore-filename-regex \
	  --ignore-filename-regex '/(crates/(fuzz/(sdk|src|tests)|kubectl-runtime-class|model|rehearsal)|tests|registry|rustc)/'

.PHONY: soak
soak: $(TARGET) ## evaluate EVALUATIONS requests in the embedded host
	EVALUATIONS=$(EVALUATIONS) cargo test --package tests --test soak --locked -- --nocapture

.PHONY: supply-chain
supply-chain: ## check licences, sources and duplicates of the dependencies; offline once they are downloaded
	$(call cargo-tool,cargo-deny,0.20.2)
	@cargo fetch --quiet --locked
	cargo deny --offline --locked check bans licenses sources
	cargo deny --offline --locked --workspace check licenses sources

.PHONY: advisories
advisories: ## check the dependencies against RustSec's advisories
	$(call cargo-tool,cargo-deny,0.20.2)
	cargo deny --locked --workspace check advisories

.PHONY: sbom
sbom: ## write policy.cdx.json, the CycloneDX bill of materials of the module
	$(call cargo-tool,cargo-cyclonedx,0.5.9)
	cargo cyclonedx --quiet --format json --target $(TARGET) --override-filename policy.cdx
	@find crates tests -name policy.cdx.json -delete

.PHONY: digest
digest: policy.wasm ## print the digest of the module
	@sha256sum policy.wasm

.PHONY: workflows
workflows: ## check the workflows with zizmor
	@if ! command -v zizmor >/dev/null && python3 -m pip --version >/dev/null 2>&1; then \
	  python3 -m pip install --quiet --target target/tools/zizmor zizmor==1.32.0; \
	  mkdir -p $(TOOLS); \
	  ln -sf ../zizmor/bin/zizmor $(TOOLS)/zizmor; \
	fi
	@if command -v zizmor >/dev/null; then \
	  zizmor --offline --quiet .github action.yml; \
	else \
	  echo "workflows not checked: zizmor not found, and no pip to install it (https://docs.zizmor.sh)"; \
	fi

.PHONY: monitoring-tests
monitoring-tests: ## test the alerts of deploy/monitoring/, with promtool
	@if command -v promtool >/dev/null; then \
	  promtool test rules deploy/monitoring/*.test.yml; \
	else \
	  echo "alerts not tested: promtool not found (Debian: apt-get install prometheus; https://prometheus.io/download)"; \
	fi

# What the policy costs, and what a rehearsal of 100,000 Pods costs.
.PHONY: bench
bench: dist ## compare the time of evaluations with an empty policy's, and that of a rehearsal with jq's
	cargo bench --package tests --bench evaluation --locked
	COMMAND=$(CURDIR)/target/$(DIST_TARGET)/dist/kubectl-runtime_class cargo bench --package tests --bench rehearse --profile dev --locked

.PHONY: performance.svg
performance.svg: $(TARGET) ## draw the cost of an evaluation against the size of its request
	cargo bench --package tests --bench size --profile dev --locked
