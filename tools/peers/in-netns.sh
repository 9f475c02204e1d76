#!/usr/bin/env bash
# tools/peers/in-netns.sh - runs a command in a network namespace that has only `lo`; it never falls back to the real network.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: tools/peers/in-netns.sh COMMAND [ARGUMENT...]" >&2; exit 2; }

options=(--net)
[ "$(id -u)" -eq 0 ] || options=(--net --map-root-user)
if ! unshare "${options[@]}" true 2>/dev/null; then
  echo "in-netns: no network namespace can be made here (needs root, or user namespaces); the tests with real peers cannot run" >&2
  exit 1
fi
# Where `ip` and dnsmasq are; not everybody's PATH has it.
PATH=$PATH:/usr/sbin:/sbin
exec unshare "${options[@]}" bash -c 'ip link set lo up && exec "$@"' in-netns "$@"
