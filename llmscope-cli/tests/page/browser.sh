#!/usr/bin/env bash
# Prints the path of Chromium. Without one, installs the Debian package if it runs as root.
set -euo pipefail
find_browser() {
  for name in ${CHROMIUM:-} chromium chromium-browser google-chrome chrome; do
    command -v "$name" && return
  done
  return 1
}
find_browser && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; } >&2
  find_browser && exit
fi
echo "found no Chromium: install it (apt-get install chromium), or set its path: CHROMIUM=/path/to/chrome make test-page" >&2
exit 1
