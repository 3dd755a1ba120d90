#!/usr/bin/env bash
# Takes pictures of each view of the console, light and dark, desk and phone, into target/screenshots.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
scripts/console.sh
REQUIRE_CONSOLE=1 cargo build --locked --quiet -p stepwell-server
npm_install sdk/typescript
npm --prefix sdk/typescript run --silent build
npm_install console
export STEPWELL_BINARY="$target_dir/debug/stepwell"
npm --prefix console run --silent screenshots -- "$target_dir/screenshots"
