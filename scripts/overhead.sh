#!/usr/bin/env bash
# Measures what telemetry costs the TypeScript program that it observes, and fails where a mark is missed: the time of a
# call, the delay of the event loop, and memory, with servers that are up, away, hang or fail. Takes some ten minutes.
# ROUNDS=12 and SECONDS_EACH=5 say how long each server is measured.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

has_node || fail "Node $needed_node or newer is not installed"
npm_install sdk/typescript
npm --prefix sdk/typescript run --silent build
cd sdk/typescript
exec node scripts/overhead/main.mjs
