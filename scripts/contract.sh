#!/usr/bin/env bash
# Prints the table of statements (docs/semantics.md) with the tests that cite them, and what is open.
# Fails for a statement without a test, and for one that leaves open what no later part builds.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo test --locked --quiet -p stepwell-sim --test it -- tidy::contract::the_contract --nocapture
