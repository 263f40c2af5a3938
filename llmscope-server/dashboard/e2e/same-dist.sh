#!/usr/bin/env bash
# Checks that two folders of built files are identical: same-dist.sh BUILT COMMITTED
set -euo pipefail
built=$1 committed=$2
fail() {
  echo "$1" >&2
  echo "dashboard/dist does not match its sources: run cd llmscope-server/dashboard && npm ci && npm run build" >&2
  exit 1
}
compared=0
while IFS= read -r -d '' file; do
  cmp "$built/$file" "$committed/$file" || fail "$file differs"
  compared=$((compared + 1))
done < <({ cd "$built" && find . -type f -print0; cd "$OLDPWD"; cd "$committed" && find . -type f -print0; } | sort -zu)
[ "$compared" -gt 0 ] || fail "no file was compared"
echo "dashboard/dist: $compared files match the sources"
