# tools/peers/cache.sh - where built and installed peers are kept, outside the tree; sourced by the scripts beside it.

# Prints the folder; NOROSHI_CACHE moves it.
peers_cache() {
  local folder=${NOROSHI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/noroshi}/peers
  mkdir -p "$folder"
  (cd "$folder" && pwd)
}
