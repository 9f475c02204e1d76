#!/usr/bin/env bash
# tools/peers/build-victoriametrics.sh - builds VictoriaMetrics, single node, once into the peers' cache; the last line printed
# is the path of the program. Only `make bench` uses it.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/victoriametrics" && pwd)

folder=$(peers_cache)/victoriametrics-$(cat "$module"/go.{mod,sum} | sha256sum | cut -c1-16)
program=$folder/victoria-metrics
if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo "build-victoriametrics: the Go toolchain (1.26 or newer) is not on PATH" >&2; exit 1; }
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -x "$program" ]; then   # another caller may have built it while this one waited for the lock
    new=$folder/new.$$
    trap 'rm -f "$new"' EXIT
    build() {
      (cd "$module" && go build -mod=readonly -p 2 -tags netgo -buildvcs=false \
        -ldflags '-s -w -X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=v1.151.0' -o "$new" \
        github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics)
    }
    echo "building VictoriaMetrics into $folder (one to three minutes, once)" >&2
    # One more try: a download that broke off is the usual reason, and what has been compiled is kept.
    build >&2 || { sleep 5; build >&2; }
    [ "$("$new" --version)" = v1.151.0 ]
    mv "$new" "$program"
  fi
fi
echo "$program"
