"""Executes the notebooks of ``examples/notebooks`` in place, so that their outputs match the current code.

python tools/notebooks.py           # execute and write
python tools/notebooks.py --check   # execute; exit 1 if an output is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "examples/notebooks"


def executed(path: Path) -> Any:
    """The notebook with new outputs, without metadata that varies between runs."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def main() -> None:
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    if not paths:
        raise SystemExit(f"{NOTEBOOKS}: no notebook to execute")
    for path in paths:
        text = nbformat.writes(executed(path)) + "\n"  # type: ignore[no-untyped-call]
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{path}: its outputs are out of date: run `make notebooks`")


if __name__ == "__main__":
    main()
