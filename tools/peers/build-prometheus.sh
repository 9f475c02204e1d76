#!/usr/bin/env bash
# tools/peers/build-prometheus.sh - builds Prometheus and promtool, once into the peers' cache; the last line printed is the
# folder that holds both.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/prometheus" && pwd)

folder=$(peers_cache)/prometheus-$(cat "$module"/go.{mod,sum} | sha256sum | cut -c1-16)
if [ ! -x "$folder/prometheus" ]; then
  command -v go >/dev/null || { echo "build-prometheus: the Go toolchain (1.26 or newer) is not on PATH" >&2; exit 1; }
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -x "$folder/prometheus" ]; then   # another caller may have built it while this one waited for the lock
    new=$folder/new.$$
    trap 'rm -rf "$new"' EXIT
    mkdir "$new"
    # No service discovery but files and lists; the name resolver is Go's own.
    build() {
      (cd "$module" && go build -mod=readonly -p 2 -tags netgo,remove_all_sd -buildvcs=false \
        -ldflags '-s -w -X github.com/prometheus/common/version.Version=3.16.0' -o "$new/" \
        github.com/prometheus/prometheus/cmd/promtool github.com/prometheus/prometheus/cmd/prometheus)
    }
    echo "building Prometheus into $folder (4 to 8 minutes, once)" >&2
    # One more try: a download that broke off is the usual reason, and what has been compiled is kept.
    build >&2 || { sleep 5; build >&2; }
    [ "$("$new/prometheus" --version 2>&1 | head -1 | cut -d' ' -f1-3)" = 'prometheus, version 3.16.0' ]
    mv "$new/promtool" "$folder/promtool"
    mv "$new/prometheus" "$folder/prometheus"
  fi
fi
echo "$folder"
