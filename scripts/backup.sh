#!/usr/bin/env bash
# Makes a backup of a server under full load, restores it, and looks for every run that was acknowledged before the
# backup began. Prints runs, size, time, and how long starts took; fails where a run is missing or another one, where
# a hash differs, or where starts took much longer meanwhile.
#
# SECONDS_OF_LOAD=20  how long there is load before the backup
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
out=$(mktemp)
trap 'rm -f "$out"' EXIT
STEPWELL_BACKUP_SECONDS=${SECONDS_OF_LOAD:-20} cargo test --locked --quiet -p stepwell-server --test it -- --nocapture \
    backup_load::a_backup_under_load_has_every_run_that_was_acknowledged_before_it >"$out" 2>&1 || {
    cat "$out" >&2
    fail "the backup is not what it should be"
}
grep -h '^backup: ' "$out"
