"""The repository's pages: everything in Markdown, and what it holds."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BY_READER = ("operators", "staff", "developers")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A block of code. ``line``: where its code begins in the page, from 1."""

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, also new ones; none that git ignores."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in sorted(set(listed.split("\0"))) if (path := ROOT / name).is_file())


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def examples(*languages: str) -> list[Example]:
    """The blocks of README, CONTRIBUTING and docs/ in these languages."""
    found = []
    for page in pages():
        name = str(page.relative_to(ROOT))
        if name in {"README.md", "CONTRIBUTING.md"} or name.startswith("docs/"):
            text = page.read_text()
            for block in _FENCE.finditer(text):
                if block[1] in languages:
                    found.append(Example(name, text.count("\n", 0, block.start()) + 2, block[1], block[2]))
    return found


def without_code(text: str) -> str:
    """A page without its blocks of code, in which nothing is a heading or a link."""
    return _FENCE.sub("", text)


@cache
def chapters(page: Path) -> frozenset[str]:
    """The titles of a page."""
    return frozenset(re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE))


def paragraphs(page: Path) -> frozenset[str]:
    """The bold words that its paragraphs begin with."""
    return frozenset(re.findall(r"^\*\*([^*]+?)[.,]?\*\*", without_code(page.read_text()), re.MULTILINE))


def anchor(title: str) -> str:
    """What a link to a chapter ends with, on GitHub and in the built site."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
