#!/usr/bin/env bash
# Fills up a small disk under a server: starts are refused with 507, runs that have begun end, and with room again all is
# as before. Prints the figures; fails where one of it is not so. The disk is a tmpfs, mounted as root or in a user
# namespace.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
# Built before: in a user namespace nothing is.
cargo test --locked --quiet -p stepwell-server --test it --no-run
disk=$(mktemp -d)
out=$(mktemp)
trap 'umount "$disk" 2>/dev/null || true; rm -rf "$disk" "$out"' EXIT
test='mount -t tmpfs -o size=192m,mode=0700 tmpfs "$1" && STEPWELL_SMALL_DISK="$1" cargo test --locked --quiet \
    -p stepwell-server --test it -- --nocapture disk_full::a_full_disk_refuses_starts_and_lets_runs_end'
if [ "$(id -u)" = 0 ]; then
    run=(bash -c "$test" disk-full "$disk")
else
    run=(unshare --user --map-root-user --mount bash -c "$test" disk-full "$disk")
fi
"${run[@]}" >"$out" 2>&1 || {
    cat "$out" >&2
    fail "a full disk is not met as it should be"
}
grep -h '^disk-full: [0-9]' "$out" || {
    cat "$out" >&2
    fail "no small disk could be mounted"
}
