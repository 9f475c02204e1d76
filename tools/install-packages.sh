#!/usr/bin/env bash
# tools/install-packages.sh - installs the Debian packages that the build needs; does nothing when all are there.
#   tools/install-packages.sh build   compiler, libraries
#   tools/install-packages.sh test    what the tests start beside that (node_exporter, a name server, a shifted clock, certificates, network tools)
set -euo pipefail

build_packages=(
  clang-19 libclang-rt-19-dev cmake ninja-build mold ccache pkg-config make binutils
  libboost1.81-dev libboost-url1.81-dev libssl-dev libexpected-dev libfmt-dev libspdlog-dev
  nlohmann-json3-dev libyaml-cpp-dev libprotobuf-dev protobuf-compiler zlib1g-dev libbrotli-dev libsnappy-dev libre2-dev
  libsqlite3-dev libsqlitecpp-dev libc-ares-dev libsodium-dev libsecp256k1-dev libcrypto++-dev libcli11-dev
  libqrencode-dev libxxhash-dev libgtest-dev libgmock-dev tzdata ca-certificates
)
test_packages=(prometheus-node-exporter dnsmasq-base libfaketime openssl iproute2 util-linux procps git)

case "${1:-build}" in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  *) echo "usage: tools/install-packages.sh build|test" >&2; exit 2 ;;
esac

installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^ii *//p' || true)
missing=()
for package in "${wanted[@]}"; do
  [[ $'\n'"$installed"$'\n' == *$'\n'"$package"$'\n'* ]] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing Debian packages: ${missing[*]}"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "noroshi: run as root once, or install these packages: ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
# A package's service must not start by itself: the tests start node_exporter on a loopback port.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] && [ "$(id -u)" -eq 0 ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
install() { "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/tmp/noroshi-apt.$$.log 2>&1; }
"${sudo[@]}" apt-get update -qq || true
install || { sleep 5; "${sudo[@]}" apt-get update -qq; install; } || { tail -20 /tmp/noroshi-apt.$$.log >&2; exit 1; }
rm -f /tmp/noroshi-apt.$$.log
