#!/usr/bin/env bash
# Measures a server on PostgreSQL with a release build: steps after each other, many runs, one node held against
# two; and DBOS on the same PostgreSQL. The cluster is private, with its durability on and the settings that it comes
# with; DATABASE_URL names another one, in which a schema is made for as long. Prints the settings, the figures and
# how many times as fast as DBOS that is; fails where a mark is missed.
# TIMES says how often each is measured (once), SECONDS_EACH how long (30; less does not count).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
has_node || fail "Node $needed_node or newer is needed, with npm."
cargo build --locked --quiet --release -p stepwell-server
stepwell="$target_dir/release/stepwell"

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
url=${DATABASE_URL:-}
if [ -z "$url" ]; then
    cargo build --locked --quiet -p stepwell-postgres --features testing --example cluster
    # It ends once nobody holds its input any more.
    coproc cluster { exec "$target_dir/debug/examples/cluster"; }
    # shellcheck disable=SC2154
    read -r url <&"${cluster[0]}"
fi

npm_install bench/dbos
npm_install sdk/typescript
npm --prefix sdk/typescript run --silent build

# The table of marks is part of what it says; DBOS is measured whatever came out.
"$stepwell" bench all --json --store "$url" --only sequential,throughput,nodes --times "${TIMES:-1}" \
    >> "$figures" || true
(cd sdk/typescript && "$stepwell" bench throughput --json --store "$url" --runner node \
    --seconds "${SECONDS_EACH:-30}") >> "$figures" || true
# Connections of its own: of some numbers the best counts.
for pool in 10 20 50; do
    node bench/dbos/bench.mjs "$url" throughput "${SECONDS_EACH:-30}" 512 "$pool" >> "$figures"
done
node bench/dbos/bench.mjs "$url" sequential >> "$figures"
node bench/dbos/compare.mjs "$figures"
