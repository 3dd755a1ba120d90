#!/usr/bin/env bash
# Sends bad inputs of every kind (requests, keys, frames of runners, command lines, settings, damaged folders) and prints each with
# its answer. Each has to be refused with its own status or exit code and code, and to be told what is accepted.
# Fails where one is not, and where they are fewer than 80.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

needed=80
need_cargo
told=$(mktemp)
trap 'rm -f "$told"' EXIT
cargo test --locked --quiet -p stepwell-server --test it bad_inputs:: -- --nocapture --test-threads 1 >"$told" 2>&1 || {
    cat "$told" >&2
    fail "a bad input is not answered as it should be"
}
# A dot of the test runner may stand before a line.
lines=$(sed -nE 's/^\.*([a-z]+ .* → )/\1/p' "$told" | sort -s -k 1,1)
printf '%s\n' "$lines"
awk '{ kinds[$1]++; all++ } END {
    for (kind in kinds) printf "%s%s %d", (more++ ? ", " : "bad inputs: "), kind, kinds[kind]
    printf "; %d in all, each answered as it should be\n", all
}' <<<"$lines"
found=$(wc -l <<<"$lines")
[ "$found" -ge "$needed" ] || fail "these are $found bad inputs; wanted: $needed"
