#!/usr/bin/env bash
# tools/peers/build-status-peer.sh - builds the Status user of the tests, once into the peers' cache; the last line printed is
# the path of the program.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/status-peer" && pwd)

folder=$(peers_cache)/status-peer-$(cat "$module"/go.{mod,sum} "$module"/*.go | sha256sum | cut -c1-16)
program=$folder/status-peer
if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo "build-status-peer: the Go toolchain (1.23 or newer) is not on PATH" >&2; exit 1; }
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -x "$program" ]; then   # another caller may have built it while this one waited for the lock
    new=$folder/status-peer.new.$$
    trap 'rm -f "$new"' EXIT
    # go.sum has every checksum, most of them status-go's own; one of its modules is in no public database. An old
    # dependency of it links by a name that newer linkers refuse.
    build() {
      (cd "$module" && GONOSUMDB='*' go build -mod=readonly -p 2 -tags gowaku_no_rln -buildvcs=false \
        -ldflags '-checklinkname=0 -s -w' -o "$new" .)
    }
    echo "building status-peer into $folder (4 to 18 minutes, once)" >&2
    # One more try: a download that broke off is the usual reason, and what has been compiled is kept.
    build >&2 || { sleep 5; build >&2; }
    [ "$("$new" --help 2>&1 | head -1)" = 'Usage of status-peer:' ]
    mv "$new" "$program"
  fi
fi
echo "$program"
