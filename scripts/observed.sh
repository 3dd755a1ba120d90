#!/usr/bin/env bash
# Shows what is promised of observed runs: that neither order, repetition nor lateness of events changes a record, that secrets
# are neither stored nor shown, in Rust, in TypeScript and on a server; then each statement of §10 with how many tests it has.
# Prints the figures; fails where one is not as it should be.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
has_node || fail "Node $needed_node or newer is not installed"
told=$(mktemp)
trap 'rm -f "$told"' EXIT

# tests WHAT COMMAND... runs tests, and shows what they print where one fails.
tests() {
    local what=$1
    shift
    "$@" >"$told" 2>&1 || {
        cat "$told" >&2
        fail "$what: a test fails"
    }
}

tests "rules" cargo test --locked --quiet -p stepwell-telemetry --lib -- --nocapture
figures=$(sed -nE 's/^\.*(observed [a-z]+: .*)/\1/p' "$told")
printf '%s\n' "$figures"
[ "$(wc -l <<<"$figures")" -eq 3 ] || fail "the tests of the rules do not tell their figures"

tests "server" cargo test --locked -p stepwell-server --test it -- observed::
sed -nE 's/^test result: ok\. ([0-9]+) passed; 0 failed.*/observed on a server: \1 tests, the secrets in answers and files among them/p' "$told"

npm_install sdk/typescript
tests "TypeScript" npm --prefix sdk/typescript test --silent -- test/telemetry/redaction src/telemetry test/telemetry
sed -nE 's/\x1b\[[0-9;]*m//g; s/^ +Tests +([0-9]+) passed.*/observed in TypeScript: \1 tests, the same secrets among them/p' "$told"

tests "contract" cargo test --locked --quiet -p stepwell-sim --test it -- --nocapture tidy::contract::the_contract
grep -E '(^|§)10[.][1-7] ' "$told" || fail "the contract has no statement of §10"
