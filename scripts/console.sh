#!/usr/bin/env bash
# Builds the web console into the folder from which the server embeds it, unless what is there is current.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

has_node || fail "the console needs Node $needed_node or newer, with npm: see https://nodejs.org.
  Without it the server works, and its console says how to build it."
node console/scripts/pack.mjs --is-current && exit 0
npm_install console
npm --prefix console run --silent build
