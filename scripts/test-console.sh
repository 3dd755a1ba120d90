#!/usr/bin/env bash
# Checks the web console: types, lints, lock file, tests, and the sizes of what is built.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

cd console
npm ci --silent --no-audit --no-fund
npm run --silent check
node ../sdk/typescript/scripts/check-lock.mjs package-lock.json
# CI: a snapshot that differs fails, and is not written.
CI=true NO_COLOR=1 npm test --silent
npm run --silent build
npm run --silent size
