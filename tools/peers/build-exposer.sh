#!/usr/bin/env bash
# tools/peers/build-exposer.sh - builds the program of the tests that exposes metrics with Prometheus's Go library, once into the
# peers' cache; the last line printed is the path of the program.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/exposer" && pwd)

folder=$(peers_cache)/exposer-$(cat "$module"/go.{mod,sum} "$module"/*.go | sha256sum | cut -c1-16)
program=$folder/exposer
if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo "build-exposer: the Go toolchain (1.26 or newer) is not on PATH" >&2; exit 1; }
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -x "$program" ]; then   # another caller may have built it while this one waited for the lock
    new=$folder/exposer.new.$$
    trap 'rm -f "$new"' EXIT
    build() { (cd "$module" && go build -mod=readonly -p 2 -buildvcs=false -ldflags '-s -w' -o "$new" .); }
    echo "building the exposer into $folder (half a minute, once)" >&2
    # One more try: a download that broke off is the usual reason, and what has been compiled is kept.
    build >&2 || { sleep 5; build >&2; }
    mv "$new" "$program"
  fi
fi
echo "$program"
