#!/usr/bin/env bash
# Runs three nodes on a PostgreSQL of its own and ten runners under load, and does to them what can happen: SIGKILL for
# nodes and runners, SIGSTOP for nodes until after their lease, lost answers to commits, ends of the database, SIGTERM
# for nodes. Then a ledger that functions and clients wrote outside of the engine is judged. The last line says what
# was lost, what changed, what was done again, and what was stale. It takes some 12 minutes.
#
# FAULTS=160    how many faults, kills included
# SEED=number   what faults, victims and plans are drawn from; by chance if it is not given
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

faults=${FAULTS:-160}

need_cargo
say "building (the first time takes a few minutes) ..."
cargo build --locked --quiet -p stepwell-server -p stepwell-crash

bin=$target_dir/debug
say "the judge refuses a small ledger with each kind of violation put in:"
"$bin/crash-judge" --self-test
say "the whole test refuses a database that forgets:"
"$bin/cluster-crash" --stepwell "$bin/stepwell" --faults 16 --runs 0 --no-times --forget
say "$faults faults under load:"
exec "$bin/cluster-crash" --stepwell "$bin/stepwell" --faults "$faults" ${SEED:+--seed "$SEED"}
