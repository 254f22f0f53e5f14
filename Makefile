# Everything here works as root on a fresh Debian 12, and does nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The pinned node, tsc, biome and esbuild come before the machine's own.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export DISK KEEP

SOURCES := $(shell find src providers -name '*.ts') package.json package-lock.json scripts/build.ts

.PHONY: help setup build engine-image test demo bench lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, npm packages, the pinned Node
	@scripts/setup.sh

PROGRAMS := dist/ips-cloud dist/ips-connector dist/ips-engine dist/ips
# One that was removed is built again, however new the others are.
ifneq ($(wildcard $(PROGRAMS)),$(PROGRAMS))
.PHONY: dist/.built
endif

build: dist/.built ## bundle the four programs into dist/: ips-cloud, ips-connector, ips-engine, ips

dist/.built: $(SOURCES) | setup
	@node scripts/build.ts
	@touch $@

engine-image: build ## make the engine's boot image in build/engine/
	@appliance/engine/build.sh

test: engine-image lint ## lint, types, checks, then unit, integration and end-to-end tests
	@node scripts/test.ts

demo: engine-image ## the main job for real on this machine (DISK=/path/to/image KEEP=/path/to/folder)
	@node scripts/demo.ts

bench: setup ## our export beside qemu-img's, as ratios (some four minutes)
	@node bench/run.ts

lint: setup ## format and lint, types, house rules
	@biome check --error-on-warnings .
	@tsc --noEmit
	@node scripts/check.ts

clean: ## remove what was built (not what was installed)
	@rm -rf dist build
