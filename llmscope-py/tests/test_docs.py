"""Every public name is documented, every example runs, and the stub has the docstrings of help()."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

import llmscope
import llmscope.errors
import llmscope.pandas
import llmscope.polars
from llmscope import _native

ROOT = Path(__file__).parents[1]
MODULES = (llmscope, llmscope.errors, llmscope.pandas, llmscope.polars)
PUBLIC = {name: getattr(llmscope, name) for name in llmscope.__all__ if name != "__version__"}


def docstrings() -> dict[str, str]:
    found = {module.__name__: module.__doc__ or "" for module in MODULES}
    for name, thing in PUBLIC.items():
        found[name] = inspect.getdoc(thing) or ""
        if isinstance(thing, type) and thing.__module__ == "llmscope":
            members = {k: v for k, v in vars(thing).items() if not k.startswith("_")}
            found |= {f"{name}.{k}": inspect.getdoc(v) or "" for k, v in members.items()}
    return found


DOCSTRINGS = docstrings()
EXAMPLES = sorted(name for name, text in DOCSTRINGS.items() if ">>>" in text)


def test_everything_public_is_documented() -> None:
    assert len(DOCSTRINGS) > 150
    assert [name for name, text in DOCSTRINGS.items() if len(text) < 8] == []
    functions = [name for name, thing in PUBLIC.items() if inspect.isbuiltin(thing)]
    assert len(functions) > 20
    assert [name for name in functions if name not in EXAMPLES] == []
    assert set(PUBLIC) >= {name for name in vars(_native) if not name.startswith("_")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(name: str) -> None:
    example = doctest.DocTestParser().get_doctest(DOCSTRINGS[name], {}, name, None, 0)
    failures: list[str] = []
    result = doctest.DocTestRunner().run(example, out=failures.append)
    assert result.attempted > 0 and not failures, "".join(failures)


@pytest.mark.parametrize("document", ["README.md", "docs/python.md", "llmscope-py/README.md"])
def test_the_examples_of_the_documents_run(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    monkeypatch.chdir(REPOSITORY)
    namespace: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, document, "exec"), namespace)


def test_arguments_in_docstrings_are_those_of_the_signature() -> None:
    checked = 0
    for name, thing in PUBLIC.items():
        text = DOCSTRINGS[name]
        if not inspect.isbuiltin(thing) or "Args:" not in text:
            continue
        section = text.split("Args:\n")[1].split("\n\n")[0]
        named = [line.strip().split(":")[0] for line in section.splitlines() if line.startswith("    ") and line[4] != " "]
        assert named == list(inspect.signature(thing).parameters), name
        checked += 1
    assert checked > 12


def run(*command: Any) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stub_is_true() -> None:
    options = ["--mypy-config-file", "pyproject.toml", "--allowlist", "tests/stubtest-allowlist.txt"]
    run("-m", "mypy.stubtest", "llmscope", *options)


def test_the_stub_carries_the_docstrings() -> None:
    run("tools/stub_docs.py", "--check")


def test_the_outputs_of_the_notebooks_are_current() -> None:
    run("tools/notebooks.py", "--check")


def test_the_python_half_is_typed() -> None:
    run("-m", "mypy", "python", "tools")
