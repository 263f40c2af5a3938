#!/usr/bin/env bash
# Builds what a release ships for one target: dist/llmscope-TARGET with the program, its licences and its notices.
#
#     tools/dist.sh [TARGET]      the host's target by default
#
# The program holds no path of this machine: the compilers replace the prefixes of the sources and of cargo's home.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${1:-$(rustc -vV | sed -n 's/^host: //p')}"
home="${CARGO_HOME:-$HOME/.cargo}"
sources="$PWD"
if command -v cygpath >/dev/null; then
  home="$(cygpath -w "$home")" sources="$(cygpath -w "$sources")"
fi

# cargo reads this variable instead of RUSTFLAGS; the separator allows spaces in paths.
separator=$'\x1f'
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$home=cargo$separator--remap-path-prefix=$sources=llmscope"
case "$target" in
  *-msvc) CARGO_ENCODED_RUSTFLAGS+="$separator-Ctarget-feature=+crt-static" ;;
  *-musl)
    compiler="CC_${target//-/_}"
    export "$compiler=${!compiler:-musl-gcc}"
    ;;
esac
case "$target" in
  *-msvc) ;;
  *) export CFLAGS="${CFLAGS:-} -ffile-prefix-map=$home=cargo -ffile-prefix-map=$sources=llmscope" ;;
esac

cargo build --locked --profile dist --package llmscope-cli --bin llmscope --target "$target"

built="${CARGO_TARGET_DIR:-target}/$target/dist"
program=llmscope
[ -f "$built/$program.exe" ] && program=llmscope.exe
# A path in the program would name the user who built it.
if grep -aqF -e "$home/registry" -e "$sources/llmscope-" "$built/$program"; then
  echo "$built/$program holds paths of this machine" >&2
  exit 1
fi

folder="dist/llmscope-$target"
rm -rf "$folder"
mkdir -p "$folder"
cp "$built/$program" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$folder"
"${PYTHON:-python3}" tools/notices.py --target "$target" > "$folder/THIRD-PARTY-NOTICES.txt"
echo "$folder" >&2
