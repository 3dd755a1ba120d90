#!/usr/bin/env bash
# Builds Stepwell, starts a server with a data folder and the two example runners, starts runs of both,
# and prints the commands to look around. Ctrl-C stops everything; the data folder stays.
#
# LISTEN=127.0.0.1:7878   where the server listens
# DATA=.stepwell/dev      the data folder; logs and the report stand beside it
# RUN_FOR=seconds         ends by itself, and fails unless every run has completed by then
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

listen=${LISTEN:-127.0.0.1:7878}
data=${DATA:-.stepwell/dev}
url=http://$listen
bin=$target_dir/debug
logs=$data.logs
started=()

need_cargo
say "building (the first time takes a few minutes) ..."
cargo build --locked --quiet -p stepwell-server -p checkout -p dependency-audit
# The audit reads manifests from cargo's cache, also those of packages that are not built here.
cargo fetch --locked --quiet || say "cargo fetch failed: manifests that are not here will be unknown"

stop() {
    trap - EXIT INT TERM
    local pid
    # Runners first, so that the server sees them go; then the server, which drains.
    for ((at = ${#started[@]} - 1; at >= 0; at--)); do
        pid=${started[at]}
        kill -INT "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    say "stopped; the runs are kept in $data"
}
trap stop EXIT
# Ctrl-C is how this is meant to end.
trap 'exit 0' INT
trap 'exit 143' TERM

# launch NAME COMMAND... runs a command beside this script, its output in a file.
launch() {
    local name=$1
    shift
    # A shell without job control lets its children ignore INT; in a group of its own a child hears only us.
    set -m
    : >"$logs/$name.log"
    "$@" </dev/null >>"$logs/$name.log" 2>&1 &
    set +m
    started+=("$!")
}

alive() { kill -0 "$1" 2>/dev/null; }

# await SECONDS WHAT PID LOG COMMAND... repeats a command until it works.
await() {
    local until=$((SECONDS + $1)) what=$2 pid=$3 log=$4
    shift 4
    while ! "$@" >/dev/null 2>&1; do
        if ! alive "$pid" || [ "$SECONDS" -ge "$until" ]; then
            sed 's/^/  /' "$log" | tail -n 20 >&2
            fail "$what; its log is $log"
        fi
        sleep 0.1
    done
}

export STEPWELL_URL=$url
stepwell=$bin/stepwell
mkdir -p "$data" "$logs"

launch server "$stepwell" dev --data "$data" --listen "$listen"
# Another server may answer on that address; ours says in its log that it serves.
await 20 "the server did not start on $listen" "${started[0]}" "$logs/server.log" \
    grep -q 'serves at http' "$logs/server.log"

report=$data.audit
launch checkout "$bin/checkout" --orders examples/checkout/orders.jsonl
launch dependency-audit "$bin/dependency-audit" --lock Cargo.lock --out "$report"

at=""
[ "$url" = http://127.0.0.1:7878 ] || at=" --url $url"
cat <<TXT

Stepwell serves at $url (API: $url/api/v1/runs, health: $url/healthz, metrics: $url/metrics).
Two programs are connected, and have started runs: checkout, with the orders of a file, and
dependency-audit, which looks at the licence of every package in Cargo.lock. Look around:

  $stepwell runs list$at
  $stepwell runs list --workflow checkout --status waiting,running$at
  $stepwell runs show RUN$at
  $stepwell runs tail RUN$at
  $stepwell workflows$at
  $stepwell runners$at
  sqlite3 -readonly $data/stepwell.db "select workflow, status, count(*) from runs group by 1, 2"
  cat $report/report.md

What they say is in $logs. Ctrl-C stops everything; start again and it goes on.
TXT

end=${RUN_FOR:+$((SECONDS + RUN_FOR))}
while alive "${started[0]}"; do
    if [ -n "$end" ] && [ "$SECONDS" -ge "$end" ]; then
        runs=$("$stepwell" runs list --limit 500 --json | grep -c '"status":"completed"' || true)
        others=$("$stepwell" runs list --limit 500 --json | grep -vc '"status":"completed"' || true)
        packages=$(grep -c '^\[\[package\]\]' Cargo.lock)
        reported=$(grep -c '^ *"version":' "$report/report.json" || true)
        say "$runs runs completed, $others did not; the report has $reported of $packages packages"
        [ "$runs" -gt 0 ] && [ "$others" = 0 ] && [ "$packages" = "$reported" ] || fail "see $logs"
        exit 0
    fi
    sleep 0.5
done
fail "the server ended by itself; its log is $logs/server.log"
