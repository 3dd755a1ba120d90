#!/usr/bin/env bash
# Runs every check, each part timed, and ends with a plain line `N passed, N failed`.
#
# Tests count one each; a part that is no test runner (format, lints, simulation) counts as one.
# A part that fails does not stop the others. SEEDS=200 sets how many seeds are simulated.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0
failed=0
table=()

# Adds what test runners say about themselves: `N passed` and `N failed` in their summaries.
count() {
    local ok bad
    # nextest: "Summary [ 1.2s] 10 tests run: 9 passed, 1 failed, 0 skipped", libtest: "test result: ...",
    # vitest: "Tests  1 failed | 9 passed (10)"
    ok=$(sed -nE 's/^ *(Summary|test result:|Tests ).*[^0-9]([0-9]+) passed.*/\2/p' "$out" | paste -sd+ | sed 's/^$/0/')
    bad=$(sed -nE 's/^ *(Summary|test result:|Tests ).*[^0-9]([0-9]+) failed.*/\2/p' "$out" | paste -sd+ | sed 's/^$/0/')
    passed=$((passed + ok))
    failed=$((failed + bad))
    [ $((ok + bad)) -gt 0 ]
}

# part NAME check|tests COMMAND... runs one part.
part() {
    local name=$1 kind=$2 status=0 begun=$SECONDS word=ok before=$failed
    shift 2
    say "== $name: $*"
    "$@" 2>&1 | tee "$out" || status=$?
    if [ "$kind" = check ] || ! count; then
        # A runner of tests that tells no numbers did not run: its failure counts as one.
        if [ "$status" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    elif [ "$status" != 0 ] && [ "$failed" = "$before" ]; then
        failed=$((failed + 1))
    fi
    [ "$status" = 0 ] || word=FAILED
    table+=("$(printf '%-12s %6s s  %s' "$name" "$((SECONDS - begun))" "$word")")
}

skip() {
    say "== $1: skipped, $2"
    table+=("$(printf '%-12s %8s  %s' "$1" - "skipped: $2")")
}

# The console comes first: the server embeds it, and is not built with a missing or stale one from here on.
if has_node; then
    part console tests scripts/test-console.sh
    export REQUIRE_CONSOLE=1
else
    skip console "Node $needed_node or newer is not installed"
fi
part format check cargo fmt --all --check
part lints check cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
if command -v cargo-nextest >/dev/null 2>&1; then
    part tests tests cargo nextest run --locked --workspace --no-fail-fast --color never
else
    say "cargo-nextest is not installed: cargo test runs the tests instead"
    part tests tests cargo test --locked --workspace --lib --bins --tests --no-fail-fast
fi
part doctests tests cargo test --locked --workspace --doc
if command -v cargo-deny >/dev/null 2>&1; then
    part deny check cargo deny check bans licenses sources
else
    skip deny "cargo-deny is not installed (licences are among the tests)"
fi
if has_node; then
    part sbom check node --test scripts/sbom.test.mjs
else
    skip sbom "Node $needed_node or newer is not installed"
fi
if has_node && [ "$(uname -sm)" = "Linux x86_64" ]; then
    part postgres18 tests scripts/postgres.sh --only-18
else
    skip postgres18 "Node $needed_node or newer is not installed, or this is not Linux with x86_64"
fi
if command -v npm >/dev/null 2>&1; then
    part typescript tests scripts/test-npm.sh
else
    skip typescript "npm is not installed"
fi
if has_node && { [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1; }; then
    part browser tests env CI=true NO_COLOR=1 scripts/browser.sh test:browser
else
    skip browser "Node or Chromium is not installed"
fi
part quickstart check scripts/smoke.sh
folder=$(mktemp -d)
part run check env RUN_FOR=30 LISTEN="127.0.0.1:$((20000 + RANDOM % 20000))" DATA="$folder/dev" scripts/run.sh
part cluster check env RUN_FOR=45 PORT="$((20000 + RANDOM % 20000))" LOGS="$folder/cluster" scripts/cluster.sh
rm -rf "$folder"
# One build holds all planted bugs; each is to be seen by one of the checkers that are for it.
part planted check cargo run --locked --quiet -p stepwell-sim --features planted -- --hunt --jobs "$(nproc)"
part simulation check cargo run --locked --quiet -p stepwell-sim -- --seeds "${SEEDS:-200}" --jobs "$(nproc)"
part nodes check cargo run --locked --quiet -p stepwell-sim -- --nodes 3 --seeds "${SEEDS:-200}" --jobs "$(nproc)"

printf '\n'
printf '  %s\n' "${table[@]}"
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
