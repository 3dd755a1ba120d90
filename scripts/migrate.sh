#!/usr/bin/env bash
# Moves a folder with many runs, half of them parked, to PostgreSQL and from there to another folder. Prints counts, hashes and
# times; fails where a hash on one side is not that on the other, or where a run that was parked does not go on and end.
#
# RUNS=100000  how many runs
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
out=$(mktemp)
trap 'rm -f "$out"' EXIT
STEPWELL_MIGRATE_RUNS=${RUNS:-100000} cargo test --locked --quiet -p stepwell-server --test it -- --nocapture \
    migrate::many::parked_runs_move_there_and_back_and_all_go_on >"$out" 2>&1 || {
    cat "$out" >&2
    fail "what was moved is not what it was, or does not go on"
}
grep -h '^migrate: ' "$out" || fail "nothing was moved: PostgreSQL was not tested"
