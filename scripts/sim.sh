#!/usr/bin/env bash
# Simulates SEEDS=2000 seeds from FROM=1 on, with faults, on JOBS threads (all cores); with NODES=3, of so many
# nodes that share a database. A failing seed is printed; `cargo run -p stepwell-sim -- --seed N --trace` repeats it
# exactly, with `--nodes` where there were several.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
exec cargo run --locked --quiet -p stepwell-sim -- --seeds "${SEEDS:-2000}" --from "${FROM:-1}" \
    --nodes "${NODES:-1}" --jobs "${JOBS:-$(nproc)}"
