#!/usr/bin/env bash
# Looks at the console as people do: Chromium, the server that cargo builds with the console inside, and
# runners on the TypeScript SDK. CHROMIUM names the browser where it is not found by itself.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
scripts/console.sh
REQUIRE_CONSOLE=1 cargo build --locked --quiet -p stepwell-server
npm_install sdk/typescript
npm --prefix sdk/typescript run --silent build
npm_install console
export CI=true NO_COLOR=1 STEPWELL_BINARY="$target_dir/debug/stepwell"
npm --prefix console run --silent test:browser
