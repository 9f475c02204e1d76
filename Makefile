# Makefile - the front door; thin over CMake, cargo and npm. `make help` lists the verbs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NINJA_JOBS ?= $(shell nproc)

.PHONY: help run build test interop conformance bench fuzz soak format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: build ## build and run noroshi on this machine, with no configuration
	@exec build/noroshi run $(ARGS)

build: ## build/noroshi, stripped, with its symbols in build/noroshi.debug
	@tools/install-packages.sh build
	@tools/build.sh

test: ## everything that must pass; ends with "N passed, N failed"
	@tools/install-packages.sh test
	@node tools/run-tests.mjs all

interop: ## noroshi against real peers (go-waku, js-waku, node_exporter), a line a feature
	@tools/install-packages.sh test
	@node tools/run-tests.mjs interop

conformance: ## PromQL against upstream's corpus; a count per file
	@tools/install-packages.sh test
	@node tools/run-tests.mjs conformance

bench: build ## sizes, start-up time, memory, the time from scrape to decrypted message, and tables beside go-waku, Prometheus and VictoriaMetrics
	@tools/install-packages.sh test
	@node bench/run.mjs

fuzz: ## fuzz every decoder for T seconds each (default 20)
	@tools/install-packages.sh test
	@node tools/run-tests.mjs fuzz $(or $(T),20)

soak: ## random queries beside Prometheus, 20,000 of them; SEED=N begins elsewhere
	@tools/install-packages.sh test
	@node tools/run-tests.mjs soak $(or $(SEED),1)

format: ## clang-format and rustfmt over the tree
	@git ls-files -z 'src/*.[ch]pp' 'test/*.[ch]pp' | xargs -0 clang-format-19 -i
	@cd p2p && cargo fmt

clean: ## remove build/ (the peers' cache stays)
	@rm -rf build
