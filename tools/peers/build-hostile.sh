#!/usr/bin/env bash
# tools/peers/build-hostile.sh - builds the crowd of attackers beside the release crate; the last line printed is the path of the program.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$PWD/build/release/cargo
(cd p2p && env -u CFLAGS -u CXXFLAGS CARGO_TARGET_DIR="$target" cargo build --release --locked --quiet --example hostile) >&2
echo "$target/release/examples/hostile"
