#!/usr/bin/env bash
# Shows that `cargo install --path crates/stepwell-server` takes no Node: from a copy of what git has, on a search path
# without node and npm, once without a built console and once with it; both serve, and say which they are.
#
# PROFILE=debug    `release` installs what people would install, which takes much longer
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

need_cargo
command -v curl >/dev/null 2>&1 || fail "curl is not installed"
[ -s crates/stepwell-console/dist/index.html.gz ] || fail "the console is not built: run \`make console\`"
options=()
[ "${PROFILE:-debug}" != debug ] || options=(--debug)

# Always the same folder: what cargo has built of this copy once, it need not build again.
folder=$target_dir/try-install
rm -rf "$folder"
mkdir -p "$folder"
server=
clean_up() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

# The search path, with folders in which Node is replaced by what else is in them.
without_node() {
    local place path=
    local -i at=0
    while IFS= read -r -d : place; do
        if [ -e "$place/node" ] || [ -e "$place/npm" ] || [ -e "$place/npx" ]; then
            at+=1
            mkdir "$folder/path-$at"
            find "$place/" -mindepth 1 -maxdepth 1 ! -name node ! -name nodejs ! -name npm ! -name npx ! -name corepack \
                -exec ln -s -t "$folder/path-$at" {} +
            place=$folder/path-$at
        fi
        path=$path${path:+:}$place
    done <<<"$PATH:"
    printf '%s' "$path"
}
PATH=$(without_node)
hash -r
for tool in node nodejs npm npx; do
    ! command -v "$tool" >/dev/null || fail "$tool is still on the search path"
done

mkdir "$folder/source"
git ls-files -z | tar --null --files-from - --create --file - | tar --directory "$folder/source" --extract --file -
[ ! -e "$folder/source/crates/stepwell-console/dist" ] || fail "git has a built console"

# install_server NAME builds and installs the server, and starts it.
install_server() {
    local begun=$SECONDS
    (cd "$folder/source" && cargo install --locked --quiet "${options[@]}" --path crates/stepwell-server \
        --root "$folder/$1" --target-dir "$target_dir")
    say "$1: installed in $((SECONDS - begun)) s, $("$folder/$1/bin/stepwell" --version)"
    set -m
    "$folder/$1/bin/stepwell" dev --listen 127.0.0.1:0 --log-format json 2>"$folder/$1.log" </dev/null &
    set +m
    server=$!
    await "the server does not listen" grep -q '"listening"' "$folder/$1.log"
    url=$(url_in "$folder/$1.log")
    await "the server is not healthy" "$folder/$1/bin/stepwell" health --url "$url"
    curl --silent --show-error --compressed --max-time 30 "$url/" >"$folder/page"
}

stop_server() {
    kill -INT "$server"
    wait "$server" || fail "the server did not end in order"
    server=
}

install_server without-console
grep -q 'make console' "$folder/page" || fail "without a console the page does not say how to build one"
stop_server
say "without-console: the server serves, and its page says how to build the console"

cp -r crates/stepwell-console/dist "$folder/source/crates/stepwell-console/dist"
install_server with-console
grep -q '<script' "$folder/page" || fail "the console is not served"
stop_server
say "with-console: the console is served"
