#!/usr/bin/env bash
# Tries every operation of the OpenAPI document with made-up requests, good and bad ones, against a real server with runs,
# events and keys in it. Prints how many there were; fails where an answer is a server error, or one that the document
# does not describe.
#
# EXAMPLES=100   most requests of an operation in each phase; the same ones each time
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

version=4.32.5
examples=${EXAMPLES:-100}

venv=$target_dir/schemathesis
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -qF "$version"; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"; } >/dev/null 2>&1; then
        say "schemathesis is skipped: pip cannot install version $version here"
        exit 0
    fi
fi

need_cargo
cargo build --locked --quiet -p stepwell-server -p checkout
PATH=$target_dir/debug:$PATH
folder=$(mktemp -d)
server=
runner=

set -m
clean_up() {
    # The shell tells of each job that it ends.
    exec 2>/dev/null
    kill -9 ${server:+"$server"} ${runner:+"$runner"} 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

# Wrong keys are tried very often.
printf 'wrong_keys_per_minute = 10000\n' >"$folder/stepwell.toml"
stepwell start --config "$folder/stepwell.toml" --data "$folder/data" --listen 127.0.0.1:0 --log-format json \
    >"$folder/first.key" 2>"$folder/server.log" </dev/null &
server=$!
await "the first key is not printed" grep -q '^sw_' "$folder/first.key"
STEPWELL_URL=$(url_in "$folder/server.log")
STEPWELL_KEY=$(cat "$folder/first.key")
export STEPWELL_URL STEPWELL_KEY
checkout --orders examples/checkout/orders.jsonl >"$folder/runner.log" 2>&1 </dev/null &
runner=$!
# has TEXT COMMAND... tells whether the output of a command has a text.
has() {
    local text=$1
    shift
    "$@" | grep -q -e "$text"
}
await "no run completed" has completed stepwell runs list --json
stepwell events send order.seen --id seen-1 --data '{"order":1}' >/dev/null
stepwell keys create --name somebody --role viewer >/dev/null 2>&1
stepwell namespaces create elsewhere >/dev/null

# A stream is left out: it has no end that a tool could wait for. Tests of the server read it.
# It keeps notes in the folder that it runs in.
told=0
cd "$folder"
SCHEMATHESIS_HOOKS=$root/scripts/schemathesis.py "$venv/bin/schemathesis" run "$STEPWELL_URL/api/v1/openapi.json" \
    --header "Authorization: Bearer $STEPWELL_KEY" --exclude-path /api/v1/stream \
    --generation-deterministic --max-examples "$examples" \
    --request-timeout 20 --suppress-health-check all --warnings off --continue-on-failure \
    --checks all --exclude-checks positive_data_acceptance \
    --report json --report-json-path "$folder/report.json" --no-color >"$folder/told" 2>&1 || told=$?
[ "$told" = 0 ] || cat "$folder/told"
kill -0 "$server" 2>/dev/null || fail "the server ended: $(tail -n 20 "$folder/server.log")"
! grep -h 'panicked' "$folder/server.log" || fail "the server panicked"
cases=$(grep -E '^ *[0-9]+ generated' "$folder/told") || fail "schemathesis says no number of cases"
operations=$(sed -nE 's/^ *Tested: ([0-9]+)$/\1/p' "$folder/told")
say "schemathesis $version: $operations operations, cases:${cases%% found*}"
[ "$told" = 0 ] || fail "some answers are not those of the document"
say "no server error, no status, media type, header or body that the document does not describe"
