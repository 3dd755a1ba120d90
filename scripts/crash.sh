#!/usr/bin/env bash
# Kills servers and runners with SIGKILL under load, and judges a ledger that functions and clients wrote
# outside of the engine. The last line says what was lost, what changed and what was done again.
#
# SECONDS_OF_LOAD=180  how long
# KILLS=100            how often the server is killed, and how often a runner
# SEED=number          what instants, victims and plans are drawn from; by chance if it is not given
# BLOCKING=60          for how many seconds a function blocks its thread
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

load_seconds=${SECONDS_OF_LOAD:-180}
kills=${KILLS:-100}

need_cargo
say "building (the first time takes a few minutes) ..."
cargo build --locked --quiet -p stepwell-server -p stepwell-crash

bin=$target_dir/debug
say "the judge refuses a small ledger with each kind of violation put in:"
"$bin/crash-judge" --self-test
say "the whole test refuses a server that forgets:"
"$bin/crash" --stepwell "$bin/stepwell" --seconds 10 --server-kills 5 --runner-kills 3 \
    --blocking-seconds 0 --forget 400
say "$load_seconds s of load, $kills kills of the server and $kills of runners:"
exec "$bin/crash" --stepwell "$bin/stepwell" --seconds "$load_seconds" --server-kills "$kills" \
    --runner-kills "$kills" --blocking-seconds "${BLOCKING:-60}" ${SEED:+--seed "$SEED"}
