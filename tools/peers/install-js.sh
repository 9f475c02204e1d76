#!/usr/bin/env bash
# tools/peers/install-js.sh - installs the js-waku packages once into the peers' cache; the last line printed is the folder.
set -euo pipefail
source "$(dirname "$0")/cache.sh"
module=$(cd "$(dirname "$0")/../../test/peers/js" && pwd)

folder=$(peers_cache)/js-$(cat "$module/package.json" "$module/package-lock.json" "$module/exports.mjs" | sha256sum | cut -c1-16)
if [ ! -f "$folder/installed" ]; then
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  if [ ! -f "$folder/installed" ]; then   # another caller may have installed it while this one waited for the lock
    cp "$module/package.json" "$module/package-lock.json" "$module/exports.mjs" "$folder/"
    install() { (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts); }
    echo "installing js-waku into $folder (a minute or two, once)" >&2
    # One more try: a download that broke off is the usual reason.
    install >&2 || { sleep 5; install >&2; }
    touch "$folder/installed"
  fi
fi
echo "$folder"
