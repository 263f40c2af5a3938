#!/usr/bin/env bash
# Lists the files of each crate that is published. A warning of cargo, a stray file or a missing licence is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
for manifest in llmscope-*/Cargo.toml; do
  crate="${manifest%/Cargo.toml}"
  if grep -q '^publish = false' "$manifest"; then continue; fi
  warnings="$(mktemp)"
  # --allow-dirty: this also runs before a commit.
  files="$(cargo package --package "$crate" --no-verify --list --allow-dirty --locked 2>"$warnings")" || { cat "$warnings" >&2; exit 1; }
  # Other lines, such as that it waits for a lock, are no fault of the package.
  if grep -q '^warning' "$warnings"; then cat "$warnings" >&2; status=1; fi
  rm "$warnings"
  for wanted in Cargo.toml README.md LICENSE-MIT LICENSE-APACHE src/lib.rs; do
    if ! grep -qx "$wanted" <<< "$files"; then echo "$crate: $wanted is not in the package" >&2; status=1; fi
  done
  strays="$(grep -vE '^(src/|Cargo\.(toml|toml\.orig|lock)$|\.cargo_vcs_info\.json$|README\.md$|LICENSE-|dashboard/(dist/|LICENSE-))' <<< "$files" || true)"
  if [ -n "$strays" ]; then printf '%s: stray files in the package:\n%s\n' "$crate" "$strays" >&2; status=1; fi
  echo "$crate: $(wc -l <<< "$files") files"
done
exit $status
