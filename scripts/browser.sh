#!/usr/bin/env bash
# Builds what the browser tests of the console need, then runs one of the scripts of console/package.json:
#   scripts/browser.sh test:browser | screenshots | measure:runs | workshop  [ARGUMENTS]
# STEPWELL_BINARY=path   the server, with the console inside; built where it is not given
# CHROMIUM=path          the browser; /usr/bin/chromium where it is not given
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || fail "which script of console/package.json is to be run?"
script=$1
shift
scripts/console.sh
npm_install console
npm_install sdk/typescript
npm --prefix sdk/typescript run --silent build
if [ -z "${STEPWELL_BINARY:-}" ]; then
    need_cargo
    REQUIRE_CONSOLE=1 cargo build --locked --quiet -p stepwell-server
    export STEPWELL_BINARY=$target_dir/debug/stepwell
fi
npm --prefix console run --silent "$script" -- "$@"
