#!/usr/bin/env bash
# Checks the TypeScript SDK: types, lints, and its tests against the server that cargo builds.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet -p stepwell-server
cd sdk/typescript
# npm says much about its own settings; what failed is said by its exit code and its log.
npm ci --silent --no-audit --no-fund
npx --no-install tsc -p tsconfig.json
npx --no-install tsc -p examples/tsconfig.json
npx --no-install biome check .
node scripts/check-lock.mjs
# CI: a snapshot that differs fails, and is not written.
export CI=true NO_COLOR=1 STEPWELL_BINARY="$target_dir/debug/stepwell"
npx --no-install vitest run
# One function blocks its thread for a minute of real time.
npx --no-install vitest run --config vitest.slow.config.ts
