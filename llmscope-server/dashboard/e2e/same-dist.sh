#!/usr/bin/env bash
# Whether two folders of built files are the same, byte for byte: same-dist.sh BUILT COMMITTED
set -euo pipefail
built=$1 committed=$2
fail() {
  echo "$1" >&2
  echo "dashboard/dist is not what its sources build: cd llmscope-server/dashboard && npm ci && npm run build" >&2
  exit 1
}
compared=0
while IFS= read -r -d '' file; do
  cmp "$built/$file" "$committed/$file" || fail "$file differs"
  compared=$((compared + 1))
done < <({ cd "$built" && find . -type f -print0; cd "$OLDPWD"; cd "$committed" && find . -type f -print0; } | sort -zu)
[ "$compared" -gt 0 ] || fail "no file was compared"
echo "dashboard/dist: $compared files are what the sources build"
