#!/bin/sh
# Installs the small Debian tools that the sandbox calls and a bare machine may lack. Without root or apt it does nothing:
# what then cannot run says so and is skipped.
set -eu
missing=
for pair in ip:iproute2 zstd:zstd xz:xz-utils nsenter:util-linux ps:procps tar:tar curl:curl; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "not installed, and not root on Debian:$missing" >&2
  exit 0
fi
apt-get -qq update
# shellcheck disable=SC2086 # a list of package names
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes $missing
