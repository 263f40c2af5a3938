#!/usr/bin/env python3
"""Checks that documents, help and comments are in the project's voice (docs/CONTRIBUTING.md, "Voice").

    tools/voice.py                 check every tracked file; exit 1 and name each line that fails
    tools/voice.py PATH ...        check these files or folders only
    tools/voice.py --count         only count: phrases by folder, sentence lengths by document

There are three rules. No phrase of the list is in a document, comment, docstring or string literal. A sentence of a
document has at most 30 words. A paragraph of a document has at most 60 words. `tools/voice-exceptions.txt` lists
exceptions with their reasons. An exception that matches nothing is an error.
"""

import argparse
import io
import re
import statistics
import subprocess
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "tools" / "voice-exceptions.txt"
LONGEST_SENTENCE = 30
LONGEST_PARAGRAPH = 60

# A phrase, what to write instead, and a text in which the phrase must be found.
PHRASES = [
    (r"unless told", "by default", "30 unless told"),
    (r"anew", "again", "learned anew"),
    (r"so many(?! that\b)", "N clients, N points", "so many clients"),
    (r"told|tells? of", "reported, given", "is told of it"),
    (r"said", "reported, given", "as was said"),
    (r"stands?(?! for\b| in for\b| out\b| alone\b)", "is, is based on, is next to", "it stands there"),
    (r"(?<!there )is (?-i:none)", "is not a …, does not count", "a zero is none"),
    (
        r"(?<!there )is no (?!longer|more|less|fewer|greater|such)(?=\w)",
        "is not a …, does not count",
        "a broken pipe is no error",
    ),
    (r"whoever|nobody|somebody", "name the actor", "nobody says"),
    (r"(?-i:Who) (?!is\b|are\b|it is\b)\w+s\b", "To do X, use Y", "Who wants it says so"),
    (r"beside", "next to, in addition to", "beside it"),
    (r"goes on", "continues", "it goes on"),
    (r"bears?", "allows, supports", "it bears ten"),
    (r"in words", "as text", "its name in words"),
    (r"earlier service", "the previous service", "the earlier service"),
    (r"asked for", "the request, requested", "what is asked for"),
]
PATTERNS = [(re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE), instead) for phrase, instead, _ in PHRASES]

SKIPPED = re.compile(
    r"(^|/)(dist|fixtures|logs|data|reference|node_modules)/|\.schema\.json$|package-lock\.json$|Cargo\.lock$|LICENSE"
    r"|^tools/voice|uplot/|/words\.txt$"
)
SLASHES = {".rs", ".ts", ".tsx", ".js", ".mjs", ".css"}
HASHES = {".toml", ".yml", ".yaml", ".sh", ".service", ".conf"}
QUOTED = r'"(?:[^"\\\n]|\\.)*"'
QUOTED_ANYHOW = QUOTED + r"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"


def tracked(paths):
    """The tracked and new files below `paths` whose text is written by us."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    known = SLASHES | HASHES | {".md", ".py", ".pyi", ".html", ".ipynb"}
    for name in sorted(filter(None, listed)):
        path = ROOT / name
        wanted = path.suffix in known or path.name in {"Makefile", "Dockerfile", "run"}
        if wanted and not SKIPPED.search(name) and path.is_file():
            yield name, path


def prose_of(path):
    """(line number, text) of the prose in a file: comments and literals of code, each line of a document."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in {".md", ".html", ".ipynb"}:
        return list(enumerate(text.split("\n"), 1))
    if path.suffix in {".py", ".pyi"}:
        return list(python_prose(text))
    quoted = QUOTED_ANYHOW if path.suffix in {".ts", ".tsx", ".js", ".mjs"} else QUOTED
    comment = r"/\*.*?\*/|//[^\n]*" if path.suffix in SLASHES else r"#[^\n]*"
    # The text between the tags of a page.
    markup = r"|>[^<>{}=;]*[a-z][^<>{}=;]*<" if path.suffix == ".tsx" else ""
    if path.suffix == ".rs":
        quoted = r'r#+".*?"#+|"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\\n]|\\.[^'\n]*)'"
    return list(matched_lines(text, f"{comment}|{quoted}{markup}"))


def matched_lines(text, pattern):
    line, end = 1, 0
    for match in re.finditer(pattern, text, re.DOTALL):
        line += text.count("\n", end, match.start())
        for offset, part in enumerate(match.group().split("\n")):
            yield line + offset, part
        line += match.group().count("\n")
        end = match.end()


def python_prose(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)}:
            for offset, part in enumerate(token.string.split("\n")):
                yield token.start[0] + offset, part


def phrases_in(name, path):
    for line, text in prose_of(path):
        for pattern, instead in PATTERNS:
            for match in pattern.finditer(text):
                yield f"{name}:{line}", f'"{match.group()}": write "{instead}"', text.strip()


def paragraphs_of(path):
    """(line number, text) of each paragraph and list item of a document, without code, tables, headings and markup."""
    fenced, first, parts = False, 0, []
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        item = re.match(r"\s*(?:[-*+]|\d+\.)\s+", line)
        other = fenced or not line.strip() or re.match(r"\s*(#|\||<|!\[|```|>)", line)
        if (other or item) and parts:
            yield first, " ".join(parts)
            parts = []
        if not other:
            first = first if parts else number
            parts.append(line[item.end():].strip() if item else line.strip())


def plain(text):
    """A paragraph without its markup: a code span counts as one word, a link as its text."""
    text = re.sub(r"`[^`]*`", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return text.replace("**", "").replace("*", "")


def words(text):
    return len([word for word in text.split() if re.search(r"\w", word)])


def sentences_of(text):
    kept = re.sub(r"\b(e\.g|i\.e|vs|cf|etc|al|approx|no|Fig|eq)\.", r"\1", plain(text))
    return [part for part in re.split(r"(?<=[.!?])[)\"”]*\s+", kept) if words(part)]


def is_document(name):
    """True for pages that are read from start to end; pages in `tests` describe fixtures."""
    return name.endswith(".md") and "/tests/" not in name


def lengths_in(name, path):
    for line, paragraph in paragraphs_of(path):
        for sentence in sentences_of(paragraph):
            if words(sentence) > LONGEST_SENTENCE:
                yield f"{name}:{line}", f"a sentence of {words(sentence)} words: at most {LONGEST_SENTENCE}", sentence
        if words(plain(paragraph)) > LONGEST_PARAGRAPH:
            count = words(plain(paragraph))
            yield f"{name}:{line}", f"a paragraph of {count} words: at most {LONGEST_PARAGRAPH}", paragraph[:80]


class Exceptions:
    """Lines `PATH | PATTERN | REASON`: a fault at this path is accepted if its line matches the pattern."""

    def __init__(self):
        self.rules, self.used = [], set()
        for number, line in enumerate(EXCEPTIONS.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = [field.strip() for field in line.split(" | ")]
            if len(fields) != 3 or not all(fields):
                sys.exit(f"{EXCEPTIONS.name}:{number}: expected PATH | PATTERN | REASON, got {line!r}")
            self.rules.append((number, fields[0], re.compile(fields[1])))

    def allow(self, place, text):
        path = place.rsplit(":", 1)[0]
        hits = [n for n, prefix, pattern in self.rules if path.startswith(prefix) and pattern.search(text)]
        self.used.update(hits)
        return bool(hits)

    def unused(self):
        return [number for number, *_ in self.rules if number not in self.used]


def count(files):
    by_folder = {}
    for name, path in files:
        folder = name.split("/")[0] if "/" in name else name
        by_folder[folder] = by_folder.get(folder, 0) + len(list(phrases_in(name, path)))
    for folder, found in sorted(by_folder.items()):
        print(f"{found:5}  {folder}")
    print(f"{sum(by_folder.values()):5}  phrases in all\n\nlongest  median  longest paragraph")
    for name, path in files:
        if is_document(name):
            paragraphs = [text for _, text in paragraphs_of(path)]
            sizes = [words(sentence) for text in paragraphs for sentence in sentences_of(text)] or [0]
            longest = max((words(plain(text)) for text in paragraphs), default=0)
            print(f"{max(sizes):7}  {statistics.median(sizes):6g}  {longest:17}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--count", action="store_true")
    args = parser.parse_args()
    for (pattern, _), (phrase, _, example) in zip(PATTERNS, PHRASES, strict=True):
        if not pattern.search(example):
            sys.exit(f"voice: the pattern {phrase!r} does not find {example!r}")
    files = list(tracked(args.paths))
    if not files:
        sys.exit("voice: found no file to check")
    if args.count:
        return count(files)
    exceptions = Exceptions()
    faults = [fault for name, path in files for fault in phrases_in(name, path)]
    faults += [fault for name, path in files if is_document(name) for fault in lengths_in(name, path)]
    faults = [fault for fault in faults if not exceptions.allow(fault[0], fault[2])]
    for place, problem, text in faults:
        print(f"{place}: {problem}\n    {text[:150]}")
    unused = exceptions.unused() if not args.paths else []
    for number in unused:
        print(f"tools/{EXCEPTIONS.name}:{number}: matches nothing: remove it")
    if faults or unused:
        sys.exit(f"voice: {len(faults) + len(unused)} faults")
    print(f"voice: {len(files)} files checked", file=sys.stderr)


main()
