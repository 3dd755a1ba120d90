#!/usr/bin/env bash
# Checks the TypeScript SDK and its examples: types, lints, and tests against the server that cargo builds.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
cargo build --locked --quiet -p stepwell-server
cd sdk/typescript
# npm says much about its own settings; what failed is said by its exit code and its log.
npm ci --silent --no-audit --no-fund
npx --no-install tsc -p tsconfig.json
npx --no-install biome check .
npx --no-install biome check --config-path=. ../../examples/{checkout-ts,observed-shop,dialects}/src
node scripts/check-lock.mjs
node scripts/check-lock.mjs ../../examples/dialects/package-lock.json
# CI: a snapshot that differs fails, and is not written.
export CI=true NO_COLOR=1 STEPWELL_BINARY="$target_dir/debug/stepwell"
npx --no-install vitest run
# The bench's runner is a program as users write it: each of its runs is read back and counted.
npm run --silent build
"$STEPWELL_BINARY" bench sequential --runner node --runs 1
"$STEPWELL_BINARY" bench replay --runner node --runs 1 --steps 500
# One function blocks its thread for a minute of real time.
npx --no-install vitest run --config vitest.slow.config.ts

# The examples are packages of their own, on what the SDK was built to.
for example in checkout-ts observed-shop dialects; do
    cd "$root/examples/$example"
    npm ci --silent --no-audit --no-fund
    npm run --silent build
    npm test --silent
done
