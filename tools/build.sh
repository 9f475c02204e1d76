#!/usr/bin/env bash
# tools/build.sh - builds the release program: build/noroshi stripped, build/noroshi.debug with its symbols.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
if [ ! -f build/release/build.ninja ]; then
  cmake --preset release -Wno-dev >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
fi
cmake --build build/release --target noroshi -- ${NINJA_FLAGS:---quiet} | { grep -v "^ninja: no work to do" || true; }

from=build/release/src/cli/noroshi
if [ ! build/noroshi -nt "$from" ]; then
  objcopy --only-keep-debug "$from" build/noroshi.debug
  objcopy --strip-all --add-gnu-debuglink=build/noroshi.debug "$from" build/noroshi.new
  touch build/noroshi.new && mv build/noroshi.new build/noroshi
fi
printf 'build/noroshi %s bytes stripped\n' "$(stat -c %s build/noroshi)"
