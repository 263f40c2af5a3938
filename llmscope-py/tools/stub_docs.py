"""Copies the docstrings of the built module into its stub, so that editors show what ``help()`` shows.

The signatures of ``_native.pyi`` are written by hand; its docstrings are written only in the Rust sources.

    python tools/stub_docs.py           # rewrite the stub
    python tools/stub_docs.py --check   # exit 1 if it is out of date
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from typing import TypeAlias

from llmscope import _native

STUB = Path(__file__).parents[1] / "python/llmscope/_native.pyi"
Documented: TypeAlias = ast.FunctionDef | ast.ClassDef


def documented(text: str) -> str:
    """The stub with the current docstrings."""
    lines = text.splitlines()
    found = 0
    # From the end, so that line numbers before an edit stay valid.
    for node, subject in reversed(list(subjects(ast.parse(text)))):
        doc = inspect.getdoc(subject) if subject is not None else None
        if doc is None:
            continue
        found += 1
        insert(lines, node, doc)
    if not found:
        raise SystemExit(f"{STUB}: nothing to document")
    return "\n".join(lines) + "\n"


def subjects(tree: ast.Module) -> list[tuple[Documented, object]]:
    """Every public class, function, method and property of the stub with the object that it describes, in order."""
    pairs: list[tuple[Documented, object]] = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        subject = getattr(_native, node.name)
        pairs.append((node, subject))
        if isinstance(node, ast.ClassDef):
            members = [member for member in node.body if isinstance(member, ast.FunctionDef)]
            pairs += [(m, getattr(subject, m.name)) for m in members if not m.name.startswith("_")]
    # The first overload carries the docstring.
    return [pair for i, pair in enumerate(pairs) if i == 0 or pairs[i - 1][1] is not pair[1]]


def insert(lines: list[str], node: Documented, doc: str) -> None:
    """Replaces the docstring, or the ``...`` of a body, with a docstring."""
    indent = " " * (node.col_offset + 4)
    quoted = f'"""{doc}\n"""' if "\n" in doc else f'"""{doc}"""'
    body = [indent + line if line else "" for line in quoted.splitlines()]
    first = node.body[0]
    assert isinstance(first, ast.Expr | ast.FunctionDef), ast.dump(node)
    if isinstance(first, ast.FunctionDef):  # a class without a docstring yet
        at = min([first.lineno, *(d.lineno for d in first.decorator_list)]) - 1
        lines[at:at] = [*body, ""]
        return
    if is_docstring(first):
        assert first.end_lineno is not None
        lines[first.lineno - 1 : first.end_lineno] = body
        return
    # `def f(self) -> int: ...`
    line = lines[first.lineno - 1]
    lines[first.lineno - 1 : first.lineno] = [line[: first.col_offset].rstrip(), *body]


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def main() -> None:
    today = STUB.read_text(encoding="utf-8")
    wanted = documented(today)
    if "--check" not in sys.argv:
        STUB.write_text(wanted, encoding="utf-8")
    elif today != wanted:
        raise SystemExit(f"{STUB} is out of date: run `make stubs`")


if __name__ == "__main__":
    main()
