#!/usr/bin/env bash
# Builds Stepwell with its web console, starts a server with a data folder and the three example runners, starts runs of each,
# and prints the commands to look around. Some runs wait for people; after a while this script decides in
# their place, and says how. Ctrl-C stops everything; the data folder stays. One runner is in TypeScript; it
# is left out where there is no Node that can run it.
#
# LISTEN=127.0.0.1:7878   where the server listens
# DATA=.stepwell/dev      the data folder; logs and the report stand beside it
# DECIDE_AFTER=8          seconds until it decides what people are asked about; 0 leaves that to you
# RUN_FOR=seconds         ends by itself, and fails unless every run has come to its end as it should
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/launch.sh
. "$(dirname "$0")/launch.sh"

listen=${LISTEN:-127.0.0.1:7878}
data=${DATA:-.stepwell/dev}
decide_after=${DECIDE_AFTER:-8}
url=http://$listen
bin=$target_dir/debug
logs=$data.logs

need_cargo
say "building (the first time takes a few minutes) ..."
build_console
cargo build --locked --quiet -p stepwell-server -p checkout -p dependency-audit
# The audit reads manifests from cargo's cache, also those of packages that are not built here.
cargo fetch --locked --quiet || say "cargo fetch failed: manifests that are not here will be unknown"

# Builds the examples in TypeScript.
build_typescript() {
    npm_install sdk/typescript && npm --prefix sdk/typescript run --silent build \
        && npm_install examples/checkout-ts && npm --prefix examples/checkout-ts run --silent build \
        && npm_install examples/observed-shop && npm --prefix examples/observed-shop run --silent build
}

typescript=
if ! has_node; then
    say "the examples in TypeScript are skipped: they need Node $needed_node or newer, with npm"
elif build_typescript; then
    typescript=yes
elif [ -n "${RUN_FOR:-}" ]; then
    fail "the examples in TypeScript could not be built"
else
    say "the examples in TypeScript are skipped: they could not be built"
fi

stop() {
    trap - EXIT INT TERM
    end_all
    say "stopped; the runs are kept in $data"
}
trap stop EXIT
# Ctrl-C is how this is meant to end.
trap 'exit 0' INT
trap 'exit 143' TERM

export STEPWELL_URL=$url
stepwell=$bin/stepwell
mkdir -p "$data" "$logs"

launch server "$stepwell" dev --data "$data" --listen "$listen"
# Another server may answer on that address; ours says in its log that it serves.
await_of 20 "the server did not start on $listen" "${started[0]}" "$logs/server.log" \
    grep -q 'serves at http' "$logs/server.log"

report=$data.audit
launch checkout "$bin/checkout" --orders examples/checkout/orders.jsonl
# All that Stepwell is built with is permissive, so this house asks its people about some licences more.
launch dependency-audit "$bin/dependency-audit" --lock Cargo.lock --out "$report" \
    --ask MIT-0 --ask BSD-3-Clause --ask Unicode-3.0
programs="Two programs are connected"
shop=
observed=
if [ -n "$typescript" ]; then
    launch checkout-ts node examples/checkout-ts/dist/main.js examples/checkout-ts/orders.jsonl
    programs="Three programs are connected"
    shop="
checkout-ts, which does the same in TypeScript as the app \`shop\`,"
    # A backend that is no runner: it tells what it does, and orders come to it over HTTP.
    launch observed-shop env PORT=0 node examples/observed-shop/dist/main.js
    await_of 20 "the observed shop did not start" "${started[-1]}" "$logs/observed-shop.log" \
        grep -q 'the shop listens at http' "$logs/observed-shop.log"
    "$stepwell" flows push examples/observed-shop/.stepwell/flows.json >"$logs/flows.log"
    observed="
observed-shop is no runner: it tells what it does, and its orders are observed runs of the flow \`checkout\`.
"
    launch load env ORDERS=80 PER_SECOND=10 \
        SHOP="$(sed -nE 's/^the shop listens at (.*)$/\1/p' "$logs/observed-shop.log")" \
        node examples/observed-shop/dist/load.js
fi

at=""
[ "$url" = http://127.0.0.1:7878 ] || at=" --url $url"
cat <<TXT

${console:+The console: $url

}Stepwell serves at $url (API: $url/api/v1/runs, health: $url/healthz, metrics: $url/metrics).
$programs, and have started runs: checkout, with the orders of a file,$shop
and dependency-audit, which looks at the licence of every package in Cargo.lock.
${observed}Look around:

  $stepwell runs list$at
  $stepwell runs list --workflow checkout --status waiting,running$at${typescript:+
  $stepwell runs list --workflow order$at}
  $stepwell runs show RUN$at
  $stepwell runs why RUN$at
  $stepwell runs tail RUN$at
  $stepwell workflows$at${typescript:+
  $stepwell flows show checkout$at}
  $stepwell runners$at
  sqlite3 -readonly $data/stepwell.db "select workflow, status, count(*) from runs group by 1, 2"
  cat $report/report.md

Dear orders wait for somebody to approve them, and the audit for decisions about some packages: parked,
they take no place in a program. Of each shop's orders one is left alone, and gives up after 12 s; one card is
declined, and one parcel cannot be delivered: what was done for these three is taken back.
What the programs say is in $logs.${typescript:+ Programs in the words of four other systems, which end by
themselves, are in examples/dialects: its README says how to run them beside this.} Ctrl-C stops everything; start again and it goes on.
TXT

# list STATUS FILTER... prints runs, one as JSON on each line.
list() {
    local status=$1
    shift
    "$stepwell" runs list --limit 500 --json --status "$status" "$@"
}

# tell WHAT EVENT DATA OPTION... sends an event, and says so.
tell() {
    local what=$1 event=$2 json=$3
    shift 3
    say "  $what: stepwell events send $event --data '$json'$at"
    "$stepwell" events send "$event" --data "$json" "$@" >/dev/null || say "  it was not accepted"
}

# The packages that people are asked about, by the report: name and version.
awaiting() { sed -nE 's/^\| ([^ ]+) \| ([^ ]+) \|.*\| awaiting approval \|$/\1 \2/p' "$report/report.md"; }

# What people would do.
decide() {
    local name version order waiting
    waiting=$(list waiting | grep -cE '"workflow":"(checkout|order|audit)"' || true)
    say ""
    say "$waiting runs are parked and wait for people. Deciding in their place:"
    for order in 2026-1010 2026-1014 ${typescript:+2026-2003}; do
        # With an id of its own an event counts once, however often this script is started.
        tell "order $order is approved" order.reviewed "{\"order\":\"$order\",\"approved\":true}" \
            --id "review-$order"
    done
    while read -r name version; do
        tell "$name $version is approved" licence.decided \
            "{\"name\":\"$name\",\"version\":\"$version\",\"approved\":true}"
    done < <(awaiting)
}

# After the decisions: the report that was written again, and an order that was taken back.
show_ends() {
    local run
    say ""
    say "The report was written again: $(grep -E 'packages are awaiting approval' "$report/report.md")"
    run=$(list failed --workflow checkout | grep '"key":"2026-1017"' | sed -nE 's/.*"id":"(run_[0-9a-f]+)".*/\1/p')
    [ -n "$run" ] || return 0
    say "The order whose card was declined was taken back: stepwell runs show $run$at"
    "$stepwell" runs show "$run" | sed 's/^/  /'
}

# Fails unless the orders of the observed shop were told.
check_observed() {
    local told
    told=$("$stepwell" flows list --json | sed -nE 's/.*"flow":"checkout".*"last24h":\{"runs":([0-9]+).*/\1/p')
    say "$(cat "$logs/load.log"); ${told:-0} of them were observed"
    [ "${told:-0}" -ge 80 ] || fail "see $logs/observed-shop.log"
}

# Fails unless all runs have come to the ends that they should have.
check_ends() {
    local completed others failed packages reported made run
    local -r expected="2026-1017 2026-1018 2026-1020 ${typescript:+2026-2004 2026-2005 2026-2006 }"
    completed=$(list completed | wc -l)
    others=$(list queued,running,waiting,paused,blocked,compensating,cancelled,timed_out | wc -l)
    failed=$(list failed | sed -nE 's/.*"key":"([^"]+)".*/\1/p' | sort | tr '\n' ' ')
    packages=$(grep -c '^\[\[package\]\]' Cargo.lock)
    reported=$(grep -c '^ *"version":' "$report/report.json" || true)
    made=0
    for run in $(list failed --workflow checkout | sed -nE 's/.*"id":"(run_[0-9a-f]+)".*/\1/p'); do
        made=$((made + $("$stepwell" runs show "$run" | grep -c '✓ compensate ' || true)))
    done
    say "$completed runs completed, $others have not ended, the orders $failed""failed;"
    say "$made steps were taken back; the report has $reported of $packages packages"
    [ "$completed" -gt "$packages" ] && [ "$others" = 0 ] && [ "$packages" = "$reported" ] \
        && [ "$failed" = "$expected" ] && [ "$made" -ge 3 ] || fail "see $logs"
    grep -q '^0 packages are awaiting approval, [1-9]' "$report/report.md" || fail "see $report/report.md"
    [ -z "$typescript" ] || check_observed
}

begun=$SECONDS
end=${RUN_FOR:+$((SECONDS + RUN_FOR))}
decided=$decide_after
while alive "${started[0]}"; do
    if [ "$decided" -gt 0 ] && [ $((SECONDS - begun)) -ge "$decided" ] && [ -e "$report/report.md" ]; then
        decided=0
        decide
        sleep 2
        show_ends
    fi
    if [ -n "$end" ] && [ "$SECONDS" -ge "$end" ]; then
        check_ends
        exit 0
    fi
    sleep 0.5
done
fail "the server ended by itself; its log is $logs/server.log"
