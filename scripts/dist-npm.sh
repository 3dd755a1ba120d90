#!/usr/bin/env bash
# Packs the npm packages: `stepwell`, and `@stepwell/linux-x64` with the server in it.
#   scripts/dist-npm.sh [BINARY] [FOLDER]
# BINARY is the server; without it a release is built. FOLDER takes the tarballs (default: target/npm).
# What is packed is checked: publint, attw, an install of both tarballs in an empty folder, and the quickstart of the
# README. Other runtimes than the Node that runs this: `make runtimes`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

command -v npm >/dev/null 2>&1 || fail "npm is not installed; it comes with Node 20.19 or newer"
binary=${1:-}
if [ -z "$binary" ]; then
    need_cargo
    scripts/console.sh
    REQUIRE_CONSOLE=1 cargo build --locked --release -p stepwell-server
    binary=$target_dir/release/stepwell
fi
[ -x "$binary" ] || fail "the server $binary is not there or cannot be run"
out=${2:-$target_dir/npm}
mkdir -p "$out"
out=$(cd "$out" && pwd)
binary=$(realpath "$binary")

cd sdk/typescript
platform=platform/linux-x64
version=$(node -p 'require("./package.json").version')
says=$("$binary" --version)
[ "$says" = "stepwell $version" ] || fail "the server says \`$says\`; the package is of version $version"
packed=$(node -p "require('./$platform/package.json').version")
[ "$packed" = "$version" ] || fail "$platform is of version $packed, and stepwell of $version"
wanted=$(node -p 'require("./package.json").optionalDependencies["@stepwell/linux-x64"]')
[ "$wanted" = "$version" ] || fail "stepwell wants @stepwell/linux-x64 $wanted, which is of version $version"

mkdir -p "$platform/bin"
install_program "$binary" "$platform/bin/stepwell"
cp ../../LICENSE-APACHE ../../LICENSE-MIT "$platform/"

npm ci --silent
rm -rf dist
npm run --silent build
rm -f "$out"/stepwell-*.tgz
npm pack --silent --pack-destination "$out" >/dev/null
(cd "$platform" && npm pack --silent --pack-destination "$out" >/dev/null)
sdk=$out/stepwell-$version.tgz
server=$out/stepwell-linux-x64-$version.tgz

node scripts/check-lock.mjs
npx --no-install publint run --strict "$sdk"
npx --no-install attw --profile esm-only "$sdk"
say "publint and attw have found nothing"
scripts/try-packed.sh "$sdk" "$server"
scripts/try-quickstart.sh "$sdk" "$server"

say "$sdk: $(du -k "$sdk" | cut -f 1) KiB, unpacked $(tar tzvf "$sdk" | awk '{ n += $3 } END { print int(n / 1024) }') KiB"
say "$server: $(du -k "$server" | cut -f 1) KiB"
