#!/usr/bin/env python3
"""Checks the links of every tracked Markdown file: each relative target exists, and each anchor is a heading.

    tools/links.py              check all documents; exit 1 and name each dead link

Links to this repository by its address (`https://github.com/llmscope/llmscope/blob/main/…`) are checked in the same
way, because the READMEs of packages need them. Links to other sites are not followed.
"""

import re
import subprocess
import sys
import urllib.parse
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOSTED = re.compile(r"https://github\.com/llmscope/llmscope/(?:blob|tree)/main/")
# Packages are shown where relative links do not work.
PACKAGED = re.compile(r"^llmscope-[a-z]+/README\.md$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
CODE = re.compile(r"^( *)(```+|~~~+)[^\n]*\n.*?^\1\2\s*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def tracked():
    args = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    names = subprocess.run(args, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(name for name in names if name and (ROOT / name).is_file())


@cache
def anchors(path):
    """The anchors that GitHub gives to the headings of a document."""
    seen, found = {}, set()
    text = re.sub(r"^( *)(```+|~~~+)[^\n]*\n.*?^\1\2\s*$", blank, path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, re.MULTILINE):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def faults_in(name):
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    for match in LINK.finditer(CODE.sub(blank, text)):
        link = urllib.parse.unquote(match.group(1) or match.group(2))
        place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        hosted = HOSTED.match(link)
        if not hosted and re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        file, _, anchor = (link[hosted.end():] if hosted else link).partition("#")
        if not hosted and PACKAGED.match(name) and file:
            yield f"{place}: {link}: a package's README needs the whole address"
            continue
        target = (ROOT / file if hosted else path.parent / file) if file else path
        if not target.exists():
            yield f"{place}: {link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.resolve()):
            yield f"{place}: {link}: {target.name} has no heading with this anchor"


def main():
    names = tracked()
    links = sum(len(LINK.findall((ROOT / name).read_text(encoding="utf-8"))) for name in names)
    if not links:
        sys.exit("links: found no link to check")
    faults = [fault for name in names for fault in faults_in(name)]
    print("\n".join(faults), end="\n" if faults else "")
    if faults:
        sys.exit(f"links: {len(faults)} dead links")
    print(f"links: {links} links in {len(names)} documents checked", file=sys.stderr)


main()
