#!/usr/bin/env python3
"""Prints the notices of third parties for the program: every crate that it links, with its licence and its texts.

    tools/notices.py [--target TARGET] > THIRD-PARTY-NOTICES.txt
    tools/notices.py --package llmscope-py --target TARGET

The crates are those that `cargo tree` finds for the target, without build and test dependencies. Their texts are the
files of their packages. Crates whose packages have none are listed with their licence and repository.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = re.compile(r"^(licen[cs]e|copying|notice|unlicense|copyright)", re.IGNORECASE)
# What the packages of the workspace contain from others.
OWN = [
    ("Inter (font in charts)", "OFL-1.1", "llmscope-core/src/plot/font/OFL.txt"),
    ("uPlot (charts of HTML pages and of the dashboard)", "MIT", "llmscope-cli/src/report/html/assets/uplot/LICENSE"),
    ("Preact (dashboard)", "MIT", "llmscope-server/dashboard/LICENSE-preact"),
]
# The Python package has no pages.
ONLY_CHARTS = {"llmscope-py"}
# Folders of C sources in packages hold texts of their own; tests and documents of packages are not linked.
SKIPPED = re.compile(r"(^|/)(tests?|doc|docs|examples|benches|fuzz|fuzzing|contrib|programs)/")


def cargo(*args):
    return subprocess.run(["cargo", *args], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout


def linked(package, target):
    """(name, version, licence, repository) of the crates of others that the package links for the target."""
    args = ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}\t{l}\t{r}", "--package", package]
    crates = set()
    for line in cargo(*args, *(["--target", target] if target else [])).splitlines():
        crate, license, repository = line.split("\t")
        name, version = crate.split()[:2]
        if not name.startswith("llmscope-"):
            crates.add((name, version.removeprefix("v"), license, repository.removesuffix(" (*)")))
    return sorted(crates)


def folder_of(name, version):
    """Where cargo unpacked the package."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    found = sorted(home.glob(f"registry/src/*/{name}-{version}"))
    return found[-1] if found else sys.exit(f"notices: {name} {version} is not in {home}/registry: build the program first")


def texts_of(folder):
    """The texts of a package, also those of the C sources in its folders."""
    paths = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        text = TEXT.match(path.name) and path.suffix in {"", ".txt", ".md"} or path.parent.name.lower() == "licenses"
        if text and path.is_file() and not SKIPPED.search(name):
            paths.append(path)
    texts = [path.read_text(encoding="utf-8", errors="replace").strip() for path in paths]
    # zstd and self_cell are offered under the GPL or another licence, and are used under the other: deny.toml allows no GPL.
    return [text for text in texts if "GNU GENERAL PUBLIC LICENSE" not in text[:200]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--package", default="llmscope-cli", help="the package whose crates are listed")
    parser.add_argument("--target", help="the platform, by default the host")
    args = parser.parse_args()
    # Windows has another encoding for files.
    sys.stdout.reconfigure(encoding="utf-8")

    crates = linked(args.package, args.target)
    if not crates:
        sys.exit("notices: found no crate")
    # The same text with other line breaks is printed once.
    users, texts_by_words, without = {}, {}, []
    for name, version, license, repository in crates:
        label = f"{name} {version} ({license or 'see its text'})"
        texts = texts_of(folder_of(name, version))
        if not texts:
            without.append(f"{label}: {repository or 'no repository'}")
        for text in texts:
            same = users.setdefault(texts_by_words.setdefault(" ".join(text.split()), text), [])
            if label not in same:
                same.append(label)

    print(f"Notices of third parties\n\n{args.package} links {len(crates)} crates of others. Their licences and texts follow.")
    print("\nIt also links the standard library of Rust (MIT OR Apache-2.0): https://www.rust-lang.org/policies/licenses")
    for text, labels in users.items():
        print(f"\n{'=' * 100}\n" + "\n".join(labels) + f"\n{'-' * 100}\n{text}")
    for name, license, path in OWN[:1] if args.package in ONLY_CHARTS else OWN:
        print(f"\n{'=' * 100}\n{name} ({license})\n{'-' * 100}\n{(ROOT / path).read_text(encoding='utf-8').strip()}")
    if without:
        print(f"\n{'=' * 100}\nCrates whose packages hold no text, with their licence and repository:\n")
        print("\n".join(without))
    print(f"notices: {len(crates)} crates, {len(users)} texts, {len(without)} without a text", file=sys.stderr)


main()
