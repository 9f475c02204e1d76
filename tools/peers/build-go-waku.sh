#!/usr/bin/env bash
# tools/peers/build-go-waku.sh - builds go-waku, or with `encode` the bench of its encoder, once into the peers' cache; the
# last line printed is the path of the program.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/go-waku" && pwd)

what=${1:-waku}
sources=("$module/go.sum" "$module/go.mod")
case $what in
  waku) package=github.com/waku-org/go-waku/cmd/waku; folder=go-waku ;;
  encode) package=./encode; folder=go-encode; sources+=("$module/encode/main.go") ;;
  *) echo "usage: tools/peers/build-go-waku.sh [waku|encode]" >&2; exit 2 ;;
esac
folder=$(peers_cache)/$folder-$(cat "${sources[@]}" | sha256sum | cut -c1-16)
program=$folder/$what
if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo "build-go-waku: the Go toolchain (1.23 or newer) is not on PATH" >&2; exit 1; }
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -x "$program" ]; then   # another caller may have built it while this one waited for the lock
    new=$folder/$what.new.$$
    trap 'rm -f "$new"' EXIT
    build() {
      (cd "$module" && go build -p 2 -tags gowaku_no_rln -buildvcs=false -ldflags '-s -w' -o "$new" "$package")
    }
    echo "building $what of go-waku into $folder (3 to 14 minutes, once)" >&2
    # One more try: a download that broke off is the usual reason, and what has been compiled is kept.
    build >&2 || { sleep 5; build >&2; }
    [ "$what" != waku ] || "$new" --version >&2
    mv "$new" "$program"
  fi
fi
echo "$program"
