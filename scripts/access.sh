#!/usr/bin/env bash
# Tries every route of the API and every frame of runners without a key, with keys that are not taken, of other
# roles and of another namespace, and prints how many were refused: all of them, or it fails.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
out=$(mktemp)
trap 'rm -f "$out"' EXIT
cargo test --locked --quiet -p stepwell-server --test it -- --nocapture \
    access::everything::everything_is_refused_to_who_has_no_right_to_it >"$out" 2>&1 || {
    cat "$out" >&2
    fail "something is not refused"
}
grep -h "^access: " "$out"
