"""The environment of the peers: a virtual environment in ``target/`` with pinned versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """Where a comparison's peers are installed, and which modules show that they are."""

    folder: str
    """The name of the folder in ``target/``."""
    needed: Sequence[str]
    """The modules that the comparison imports."""
    llmscope: bool = True
    """Whether the comparison needs llmscope's Python package."""

    def enter(self, script: Path, here: bool) -> None:
        """Continues the script in this environment, unless the current one has the modules or ``here`` is set.

        ``requirements.txt`` next to the script lists the peers. With ``--here``, a peer that this Python cannot install
        is a missing module, not an endless loop."""
        if here or all(importlib.util.find_spec(name) for name in self.needed):
            return
        path = ROOT / "target" / self.folder
        venv.EnvBuilder(with_pip=True).create(path)
        python = path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(script.parent / "requirements.txt")], check=True)
        if self.llmscope:
            subprocess.run([*install, str(ROOT / "llmscope-py")], check=True)
        sys.exit(subprocess.run([python, script, *sys.argv[1:], "--here"]).returncode)


def versions(packages: Sequence[str]) -> str:
    """The versions of these packages and of Python."""
    named = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return f"{', '.join(named)}; {platform.python_implementation()} {platform.python_version()}"
