#!/usr/bin/env bash
# tools/conformance-corpus.sh - fetches Prometheus's own PromQL tests into Go's module cache and prints their folder.
set -euo pipefail
version=v0.316.0
folder=$(cd / && GOFLAGS=-mod=mod go mod download -json "github.com/prometheus/prometheus@$version" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
[ -n "$folder" ] || { echo "conformance-corpus: the module could not be downloaded" >&2; exit 1; }
echo "$folder/promql/promqltest/testdata"
