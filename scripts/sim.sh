#!/usr/bin/env bash
# Simulates SEEDS seeds from FIRST on, with faults. A failing seed is printed with the command that
# repeats it exactly.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
exec cargo run --locked --quiet -p stepwell-sim -- --seeds "${SEEDS:-1000}" --first "${FIRST:-1}"
