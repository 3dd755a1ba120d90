#!/usr/bin/env bash
# Runs scripted sessions of an agent with `stepwell mcp`, against servers with a runner on the SDK, and says how many
# calls were answered.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
told=$(mktemp)
trap 'rm -f "$told"' EXIT
cargo test --locked --quiet -p stepwell-server --test it mcp:: -- --nocapture 2>&1 | tee "$told"
awk '/mcp: .* calls answered$/ { calls += $(NF - 2); sessions += 1 } END { printf "%d calls in %d sessions, all as they should be\n", calls, sessions }' "$told"
