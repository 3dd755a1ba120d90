#!/usr/bin/env bash
# Packs what a release is: an archive for each platform that can be built here, their checksums, and the npm packages
# with the same server. Prints sizes; fails where a file is missing or too much, or something is larger than its mark.
#
# PROFILE=release   `dev` packs what `cargo build` makes, to try this script: no marks
# OUT=target/dist   where the archives go
# NPM=1             0 leaves the npm packages out
#
# What is in an archive stands in deploy/archive/contents.txt. One build packed twice is the same to the byte: files are
# in order, have the commit's time (or SOURCE_DATE_EPOCH) and no owner. Programs do not name folders of this machine.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# Marks, in bytes.
readonly SERVER_BYTES_MAX=30000000 RUNNER_BYTES_MAX=15000000 ARCHIVE_BYTES_MAX=20000000
# The newest glibc that the image of deploy/Dockerfile has: that of Debian 12.
readonly IMAGE_GLIBC=2.36

profile=${PROFILE:-release}
out=${OUT:-$target_dir/dist}
need_cargo
has_node || fail "an archive has the web console in it, which needs Node $needed_node or newer, with npm"
for tool in tar gzip sha256sum objdump strip; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed"
done
tar --version | grep -q GNU || fail "GNU tar is needed: an archive is to be the same each time"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
[ -z "$(git status --porcelain)" ] || say "changes that are not committed will be in the archives"

version=$(sed -nE '/^\[workspace.package\]/,/^\[/s/^version = "(.*)"/\1/p' Cargo.toml)
host=$(rustc -vV | sed -n 's/^host: //p')
targets=$host
musl=${host%%-*}-unknown-linux-musl
if [ "$profile" = release ] && [ "$host" != "$musl" ]; then
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$musl" ]; then
        say "$musl is skipped: its Rust target is not installed (rustup target add $musl)"
    elif ! command -v musl-gcc >/dev/null 2>&1; then
        say "$musl is skipped: musl-gcc is not installed (Debian: musl-tools)"
    else
        targets="$targets $musl"
    fi
fi

scripts/console.sh
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# contents HOW... lists the files of an archive that come there in one of these ways.
contents() {
    awk -v ways=" $* " '!/^#/ && index(ways, " " $2 " ") { print $1 }' deploy/archive/contents.txt
}

# The folder with what was built for a target.
built() {
    if [ "$profile" = release ]; then printf '%s' "$target_dir/$1/release"; else printf '%s' "$target_dir/debug"; fi
}

# build TARGET builds the server and the runner of the example.
build() {
    local packages=(--package stepwell-server --package checkout) cargo_home=${CARGO_HOME:-$HOME/.cargo}
    if [ "$profile" != release ]; then
        REQUIRE_CONSOLE=1 cargo build --locked "${packages[@]}"
        return
    fi
    # Paths that programs would name in messages. Of several that fit, the last one counts.
    local maps=("$root=/stepwell" "$target_dir=/target" "$cargo_home=/cargo") rust c
    rust=$(printf '\x1f--remap-path-prefix=%s' "${maps[@]}")
    c=$(printf ' -ffile-prefix-map=%s' "${maps[@]}")
    CARGO_ENCODED_RUSTFLAGS=${rust:1} CFLAGS="${CFLAGS:-}$c" REQUIRE_CONSOLE=1 \
        cargo build --locked --release --target "$1" "${packages[@]}"
}

# What the programs in a folder need of the machine that runs them.
needs() {
    local glibc
    # Programs that are linked statically have no table of such symbols.
    glibc=$({ objdump -T "$1"/* 2>/dev/null || true; } | sed -nE 's/.*GLIBC_([0-9.]+).*/\1/p' | sort -V | tail -n 1)
    printf '%s' "${glibc:+glibc $glibc or newer}"
}

# Programs and files of a build are elsewhere in an archive.
fitted() { sed 's|target/release/|bin/|g' "$1"; }

# gather TARGET FOLDER puts everything that is in an archive into a folder.
gather() {
    local target=$1 folder=$2 path needs shell
    for path in $(contents copied fitted made); do
        mkdir -p "$folder/$(dirname "$path")"
    done
    for path in $(contents copied); do
        install -m 644 "$path" "$folder/$path"
    done
    for path in $(contents fitted); do
        fitted "$path" >"$folder/$path"
    done
    install_program "$(built "$target")/stepwell" "$folder/bin/stepwell"
    install_program "$(built "$target")/checkout" "$folder/bin/checkout"
    needs=$(needs "$folder/bin")
    sed "s/{version}/$version/; s/{target}/$target/; s/{needs}/${needs:-a Linux kernel}/" deploy/archive/README.md \
        >"$folder/README.md"
    # The image takes the programs of the archive, and is otherwise that of the source.
    cp deploy/archive/Dockerfile "$folder/deploy/Dockerfile"
    fitted deploy/Dockerfile | sed '1,/^# The images;/d' >>"$folder/deploy/Dockerfile"
    for shell in bash fish zsh; do
        "$folder/bin/stepwell" completions "$shell" >"$folder/completions/stepwell.$shell"
    done
    scripts/sbom.sh "$folder" "$target" >"$work/sbom.log"
    (cd "$folder" && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
}

# check FOLDER holds what was gathered against what is to be there.
check() {
    local folder=$1 found
    found=$(cd "$folder" && find . -type f -size +0 -printf '%P\n' | LC_ALL=C sort)
    diff <(contents copied fitted made | LC_ALL=C sort) - <<<"$found" \
        || fail "files are missing, empty or too much (<: in deploy/archive/contents.txt, >: found)"
    found=$("$folder/bin/stepwell" --version)
    [ "$found" = "stepwell $version" ] || fail "the server says \`$found\`, and not that it is of version $version"
    "$folder/bin/stepwell" config sample | cmp - "$folder/deploy/stepwell.toml" \
        || fail "deploy/stepwell.toml is not what the server prints as a sample"
    "$folder/bin/stepwell" config schema | cmp - "$folder/deploy/stepwell.schema.json" \
        || fail "deploy/stepwell.schema.json is not what the server prints as a schema"
    ! grep -qE '[{](version|target|needs)[}]' "$folder/README.md" || fail "the archive's README has gaps"
    [ "$profile" = release ] || return 0
    local path
    for path in "$root" "$target_dir" "${CARGO_HOME:-$HOME/.cargo}"; do
        ! grep -qaF "$path/" "$folder/bin/"* || fail "a program names a folder of this machine: $path"
    done
}

# pack FOLDER FILE
pack() {
    tar --directory "$(dirname "$1")" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode='u=rwX,go=rX' --format=gnu --create --file - "$(basename "$1")" | gzip --no-name -9 >"$2"
}

# within FILE NAME MOST tells a size, and fails where it is over its mark.
within() {
    local bytes
    bytes=$(stat --format %s "$1")
    if [ "$profile" != release ]; then
        printf '  %-60s %9d bytes\n' "$2" "$bytes"
        return
    fi
    printf '  %-60s %9d bytes (mark: %d)\n' "$2" "$bytes" "$3"
    [ "$bytes" -le "$3" ] || fail "$2 is larger than its mark"
}

rm -f "$out"/stepwell-*.tar.gz "$out/SHA256SUMS"
for target in $targets; do
    begun=$SECONDS
    build "$target"
    name=stepwell-$version-$target
    say "$name: built in $((SECONDS - begun)) s"
    gather "$target" "$work/$name"
    check "$work/$name"
    pack "$work/$name" "$out/$name.tar.gz"
    gather "$target" "$work/again/$name"
    pack "$work/again/$name" "$work/again.tar.gz"
    cmp "$out/$name.tar.gz" "$work/again.tar.gz" || fail "packed twice, the archive is another one"
    within "$work/$name/bin/stepwell" bin/stepwell $SERVER_BYTES_MAX
    within "$work/$name/bin/checkout" bin/checkout $RUNNER_BYTES_MAX
    within "$out/$name.tar.gz" "$name.tar.gz" $ARCHIVE_BYTES_MAX
    needs=$(needs "$work/$name/bin")
    say "  $(contents copied fitted made | wc -l) files, programs need ${needs:-no glibc}"
    newest=$(printf '%s\n' "$IMAGE_GLIBC" "$(sed -nE 's/^glibc ([0-9.]+).*/\1/p' <<<"$needs")" | sort -V | tail -n 1)
    [ "$newest" = "$IMAGE_GLIBC" ] \
        || say "  the archive's Dockerfile does not fit: its images have glibc $IMAGE_GLIBC; build on Debian 12 for them"
done
(cd "$out" && sha256sum stepwell-*.tar.gz >SHA256SUMS)

if [ "${NPM:-1}" != 1 ]; then
    say "the npm packages are skipped: NPM=$NPM"
elif [ "$host" != x86_64-unknown-linux-gnu ]; then
    say "the npm packages are skipped: there is one with a server for x86_64-unknown-linux-gnu only"
else
    scripts/dist-npm.sh "$work/stepwell-$version-$host/bin/stepwell"
fi
say "in $out:"
sed 's/^/  /' "$out/SHA256SUMS"
