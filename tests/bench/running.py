"""A bench program as a person runs it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.ground import ROOT


def figures_of(module: str, words: Sequence[str], output: Path) -> dict[str, Any]:
    """What a run that ends well writes to ``output``."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words, "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(output.read_text())
    return found
