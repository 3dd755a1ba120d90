# The one entrance. `make help` lists what there is.

SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help run cluster access metrics schemathesis bad-inputs console test browser contract crash cluster-crash bench bench-postgres soak-postgres sim mcp screenshots measure-runs sbom dist tour try-install runtimes backup-test disk-full observed overhead dialects postgres migrate

help: ## Lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Builds, starts a server and three example runners, prints how to look around
	@scripts/run.sh

console: ## Builds the web console, which the next build of the server embeds
	@scripts/console.sh

test: ## Runs every check: format, lints, tests, console, browser, simulation
	@scripts/test.sh

cluster: ## Builds, starts three nodes on one PostgreSQL and two example runners, prints how to look around
	@scripts/cluster.sh

access: ## Tries every route and every frame with every wrong credential, prints the counts
	@scripts/access.sh

schemathesis: ## Tries every operation of the OpenAPI document with made-up requests, prints how many
	@scripts/schemathesis.sh

bad-inputs: ## Sends bad inputs of every kind, prints each with its answer and how many they were
	@scripts/bad-inputs.sh

metrics: ## Holds dashboard, alerts and documents against what a server tells, prints the counts
	@scripts/metrics.sh

contract: ## Prints each statement of the contract with its tests; fails for one without
	@scripts/contract.sh

crash: ## Kills server and runners under load for 3 minutes, then judges what is left
	@scripts/crash.sh

cluster-crash: ## Kills, pauses, stops and cuts off nodes on one PostgreSQL, and ends that; judges what is left (12 minutes)
	@scripts/cluster-crash.sh

backup-test: ## Makes a backup under full load, restores it, and looks for every run that was acknowledged before
	@scripts/backup.sh

migrate: ## Moves 100,000 runs (RUNS=), half of them parked, to PostgreSQL and back; prints counts, hashes, times
	@scripts/migrate.sh

disk-full: ## Lets a small disk get full: starts are refused, runs that have begun end, nothing is lost
	@scripts/disk-full.sh

bench: ## Measures the workloads with a release build; fails where a mark is missed
	@scripts/bench.sh

bench-postgres: ## Measures a server on PostgreSQL, one node and two, and DBOS beside it; fails where a mark is missed
	@scripts/bench-postgres.sh

soak-postgres: ## Loads a server on PostgreSQL for 30 minutes, with retention on; fails where something grows
	@scripts/soak-postgres.sh

observed: ## Shows that order changes no observed run, and that no secret is kept; prints the figures
	@scripts/observed.sh

dialects: ## Runs code written for four other systems from the packed npm packages, prints the figures of docs/coming-from/
	@scripts/dialects.sh

postgres: ## Tests the store on every PostgreSQL that is here, and on 18 from npm; prints versions and counts
	@scripts/postgres.sh

overhead: ## Measures what telemetry costs a TypeScript program; fails where a mark is missed (10 minutes)
	@scripts/overhead.sh

sim: ## Simulates seeds (SEEDS=2000, FROM=1, NODES=1) with faults, prints the table of faults
	@scripts/sim.sh

mcp: ## Has a scripted agent use `stepwell mcp`, and says how many calls were answered
	@scripts/mcp.sh

browser: ## Looks at the console with Chromium: latency, acts, keys, looks, hostile names, 10,000 steps
	@CI=true NO_COLOR=1 scripts/browser.sh test:browser

screenshots: ## Takes pictures of each view of the console, light and dark, desk and phone
	@scripts/browser.sh screenshots

measure-runs: ## Asks for the first page of any two filters over 200,000 stored runs
	@scripts/browser.sh measure:runs

sbom: ## Writes a bill of materials (CycloneDX) and the licences of all that the server is built from
	@scripts/sbom.sh

dist: ## Builds a release and packs it: an archive with its checksums, the npm packages; prints sizes
	@scripts/dist.sh

tour: ## Has the archive of `make dist`, and nothing else, go from the first start to a restore; prints times
	@scripts/tour.sh

try-install: ## Installs the server by cargo without Node, without a built console and with it, and starts it
	@scripts/try-install.sh

runtimes: dist ## Tries the npm packages of `make dist` on Node 20.19, 20, 22 and 24, on Bun and on Deno
	@STEPWELL_BINARY=sdk/typescript/platform/linux-x64/bin/stepwell \
		sdk/typescript/scripts/try-runtimes.sh $${CARGO_TARGET_DIR:-target}/npm/stepwell-[0-9]*.tgz
