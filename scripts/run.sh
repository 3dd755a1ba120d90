#!/usr/bin/env bash
# Builds Stepwell, starts a server with a data folder and the two example runners, starts runs of both,
# and prints the commands to look around. Ctrl-C stops everything; the data folder stays.
#
# LISTEN=127.0.0.1:7878   where the server listens
# DATA=.stepwell/dev      the data folder
# RUN_FOR=seconds         ends by itself, for tests
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
trap 'exit 130' INT
trap 'exit 143' TERM

# launch NAME COMMAND... runs a command beside this script, its output in a file.
launch() {
    local name=$1
    shift
    # A shell without job control lets its children ignore INT; in a group of its own a child hears only us.
    set -m
    "$@" </dev/null >"$logs/$name.log" 2>&1 &
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
await 20 "the server did not start on $listen" "${started[0]}" "$logs/server.log" \
    "$stepwell" runs list --json

lock=Cargo.lock
launch checkout "$bin/checkout" --orders examples/checkout/orders.jsonl
launch dependency-audit "$bin/dependency-audit" --lock "$lock"

cat <<TXT

Stepwell serves at $url (API: $url/api/v1, health: $url/healthz, metrics: $url/metrics)
with two runners: checkout and dependency-audit. Their runs are started. Look around:

  STEPWELL_URL=$url $stepwell runs list
  STEPWELL_URL=$url $stepwell runs list --workflow checkout --status failed
  STEPWELL_URL=$url $stepwell runs show RUN
  STEPWELL_URL=$url $stepwell runs tail RUN
  STEPWELL_URL=$url $stepwell workflows
  STEPWELL_URL=$url $stepwell runners
  sqlite3 -readonly $data/stepwell.db "select workflow, status, count(*) from runs group by 1, 2"

Logs: $logs. Stop with Ctrl-C; start again and everything goes on.
TXT

end=${RUN_FOR:+$((SECONDS + RUN_FOR))}
while alive "${started[0]}"; do
    if [ -n "$end" ] && [ "$SECONDS" -ge "$end" ]; then
        exit 0
    fi
    sleep 0.5
done
fail "the server ended by itself; its log is $logs/server.log"
