#!/usr/bin/env bash
# Lets the disk under a server get full: a tmpfs of 192 MiB, or where none can be mounted the disk of the machine with a
# reserve that leaves little of it. Prints what happened; fails unless starts are refused with a 507, runs that have
# begun end meanwhile, and all is as before once there is room again.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
out=$(mktemp)
trap 'rm -f "$out"' EXIT
cargo test --locked --quiet -p stepwell-server --test it -- --nocapture \
    disk_full::a_full_disk_refuses_starts_and_lets_runs_end >"$out" 2>&1 || {
    cat "$out" >&2
    fail "a full disk is not survived"
}
grep -h '^disk full: ' "$out"
