#!/usr/bin/env bash
# Installs the shells whose completion is tested, as Debian packages, if they are missing and this runs as root.
set -euo pipefail
missing=()
for shell in bash zsh fish; do
  command -v "$shell" >/dev/null || missing+=("$shell")
done
[ "${#missing[@]}" = 0 ] && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
  exit
fi
echo "cannot test completion: install ${missing[*]}" >&2
exit 1
