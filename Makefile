# `make demo` and `make test` set up everything they need; see README.md.
.DEFAULT_GOAL := help
.PHONY: help demo test test-moby bench build clean requirements style bundle

node24 := .sandbox/node24/node_modules/.bin/node
jest := node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js

help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: node_modules $(node24) requirements ## build a miniature moby fork behind loopback mirrors, into out/
	@npx tsx sandbox/demo.ts

test: node_modules $(node24) requirements ## check format, lint, types, dist and run every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target style bundle
	BUILD_MOBY_NODE24=$(abspath $(node24)) $(jest) --ci --testPathIgnorePatterns=e2e/moby --json --outputFile=.sandbox/test-results.json

test-moby: node_modules $(node24) requirements ## build real moby: MOBY=<git URL or path> [REFS="v28.5.2"] and mirrors
	BUILD_MOBY_NODE24=$(abspath $(node24)) $(jest) --ci --testTimeout=7200000 __tests__/e2e/moby

bench: node_modules $(node24) requirements ## start-up, builds against their peers, growth of the caches
	BUILD_MOBY_NODE24=$(abspath $(node24)) npm run --silent bench

build: node_modules ## bundle src/ into dist/
	npm run --silent build

clean: ## remove what the targets made here
	rm -rf node_modules out .sandbox lib

style:
	npm run --silent format:check
	npm run --silent lint

bundle:
	npm run --silent typecheck
	npm run --silent readme -- --check
	sh scripts/check-dist.sh

requirements:
	@sh sandbox/install-requirements.sh

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules

# The action runs on Node 24, whatever is installed here. Its install script fetches the binary from the npm registry.
$(node24):
	npm install --prefix .sandbox/node24 --no-save --no-package-lock --ignore-scripts=false node@24.21.0
