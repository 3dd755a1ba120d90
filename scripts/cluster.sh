#!/usr/bin/env bash
# Builds Stepwell with its web console, starts three nodes on one PostgreSQL and two example runners that know all of
# them, and prints the commands to look around, and what to try. Ctrl-C stops everything.
#
# DATABASE_URL=postgres://…   a database that is there; without it one is made, which goes with the nodes
# PORT=7878                   where the first node listens; the others are at the two ports after it
# LOGS=.stepwell/cluster.logs where the logs are
# DECIDE_AFTER=8              seconds until it decides what people are asked about; 0 leaves that to you
# RUN_FOR=seconds             kills a node after a third of that, ends by itself, and fails unless every run has come
#                             to its end as it should
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/launch.sh
. "$(dirname "$0")/launch.sh"

port=${PORT:-7878}
logs=${LOGS:-.stepwell/cluster.logs}
decide_after=${DECIDE_AFTER:-8}
schema=${SCHEMA:-stepwell}
bin=$target_dir/debug
stepwell=$bin/stepwell

need_cargo
say "building (the first time takes a few minutes) ..."
build_console
cargo build --locked --quiet -p stepwell-server -p checkout -p dependency-audit
cargo fetch --locked --quiet || say "cargo fetch failed: manifests that are not here will be unknown"

mkdir -p "$logs"
input=
stop() {
    trap - EXIT INT TERM
    end_all
    if [ -n "$input" ]; then
        # The database ends with its input, and its folder with it.
        exec {input}>&-
        wait "$database" 2>/dev/null || true
    fi
    say "stopped"
}
trap stop EXIT
# Ctrl-C is how this is meant to end.
trap 'exit 0' INT
trap 'exit 143' TERM

if [ -n "${DATABASE_URL:-}" ]; then
    store=$DATABASE_URL
else
    cargo build --locked --quiet -p stepwell-postgres --features testing --example cluster
    : >"$logs/postgres.log"
    # A group of its own, which Ctrl-C does not reach: it ends last.
    set -m
    coproc { exec "$bin/examples/cluster" 2>>"$logs/postgres.log"; }
    set +m
    database=$COPROC_PID
    exec {input}>&"${COPROC[1]}" {output}<&"${COPROC[0]}"
    eval "exec ${COPROC[1]}>&-"
    read -r store <&"$output" || fail "the database did not start: $(cat "$logs/postgres.log")"
fi

urls=()
node() {
    local at=$1
    launch "node-$((at + 1))" "$stepwell" start --access loopback \
        --listen "127.0.0.1:$((port + at))" --store "$store" --store-schema "$schema" --node "node-$((at + 1))"
}
for at in 0 1 2; do
    urls+=("http://127.0.0.1:$((port + at))")
    node "$at"
    await_of 60 "node-$((at + 1)) did not start" "${started[at]}" "$logs/node-$((at + 1)).log" \
        grep -q '"listening"' "$logs/node-$((at + 1)).log"
done
STEPWELL_URL=$(IFS=,; printf '%s' "${urls[*]}")
export STEPWELL_URL

report=$logs/audit
launch checkout "$bin/checkout" --orders examples/checkout/orders.jsonl
# All that Stepwell is built with is permissive, so this house asks its people about some licences more.
launch dependency-audit "$bin/dependency-audit" --lock Cargo.lock --out "$report" \
    --ask MIT-0 --ask BSD-3-Clause --ask Unicode-3.0

cat <<TXT

Three nodes share one PostgreSQL:

  node-1  ${urls[0]}  process ${started[0]}
  node-2  ${urls[1]}  process ${started[1]}
  node-3  ${urls[2]}  process ${started[2]}
${console:+
Each has the console at its address.
}
Two programs know all three addresses, are connected to any of them, and have started runs: checkout, with the orders
of a file, and dependency-audit, which looks at the licence of every package in Cargo.lock. Look around:

  export STEPWELL_URL=$STEPWELL_URL
  $stepwell runs list
  $stepwell runs show RUN
  $stepwell runners
  psql '$store' -c 'select * from $schema.members'
  psql '$store' -c "select workflow, status, count(*) from $schema.runs group by 1, 2"

Try what happens when a node dies, stands still, or stops:

  kill -KILL ${started[1]}
  kill -STOP ${started[2]}; sleep 5; kill -CONT ${started[2]}
  kill -TERM ${started[2]}

The logs are in $logs. Ctrl-C stops everything.
TXT

# list STATUS FILTER... prints runs, one as JSON on each line.
list() {
    local status=$1
    shift
    "$stepwell" runs list --limit 500 --json --status "$status" "$@"
}

# What people would do about the orders and packages that wait for them.
decide() {
    local name version order
    for order in 2026-1010 2026-1014; do
        # With an id of its own an event counts once, however often it is sent.
        "$stepwell" events send order.reviewed --id "review-$order" \
            --data "{\"order\":\"$order\",\"approved\":true}" >/dev/null
    done
    while read -r name version; do
        "$stepwell" events send licence.decided --id "licence-$name-$version" \
            --data "{\"name\":\"$name\",\"version\":\"$version\",\"approved\":true}" >/dev/null
    done < <(sed -nE 's/^\| ([^ ]+) \| ([^ ]+) \|.*\| awaiting approval \|$/\1 \2/p' "$report/report.md")
    say "What people were asked about is decided."
}

# Fails unless all runs have come to the ends that they should have.
check_ends() {
    local completed others failed packages
    completed=$(list completed | wc -l)
    others=$(list queued,running,waiting,paused,blocked,compensating,cancelled,timed_out | wc -l)
    failed=$(list failed | sed -nE 's/.*"key":"([^"]+)".*/\1/p' | sort | tr '\n' ' ')
    packages=$(grep -c '^\[\[package\]\]' Cargo.lock)
    say "$completed runs completed, $others have not ended, the orders $failed""failed"
    [ "$completed" -gt "$packages" ] && [ "$others" = 0 ] && [ "$failed" = "2026-1017 2026-1018 2026-1020 " ] \
        || fail "see $logs"
}

begun=$SECONDS
decided=$decide_after
killed=
while alive "${started[0]}"; do
    passed=$((SECONDS - begun))
    if [ "$decided" -gt 0 ] && [ "$passed" -ge "$decided" ] && [ -e "$report/report.md" ]; then
        decided=0
        decide
    fi
    if [ -n "${RUN_FOR:-}" ]; then
        if [ -z "$killed" ] && [ "$passed" -ge $((RUN_FOR / 3)) ]; then
            killed=yes
            kill -KILL "${started[1]}"
            wait "${started[1]}" 2>/dev/null || true
            say "node-2 was killed: its runs go on at the others"
        fi
        if [ "$passed" -ge "$RUN_FOR" ]; then
            check_ends
            exit 0
        fi
    fi
    sleep 0.5
done
fail "node-1 ended by itself; its log is $logs/node-1.log"
