"""Checks a built site: no page, style or picture may load anything from another origin. ``origins.py FOLDER``.

Links that a reader follows may lead anywhere; what a browser loads by itself may not.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

LOADED_LINKS = {
    "apple-touch-icon", "dns-prefetch", "icon", "manifest", "modulepreload", "preconnect", "prefetch", "preload",
    "stylesheet",
}  # fmt: skip
LOADED = ("src", "poster", "data", "background")
_OUTSIDE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_IN_STYLES = re.compile(r"(?:url\(\s*|@import\s+)[\"']?([^\"')\s;]+)", re.IGNORECASE)


def outside_loads(page: str) -> list[str]:
    """What a page of HTML or SVG loads from elsewhere, in order."""
    reader = _Reader()
    reader.feed(page)
    return [address for address in reader.found if is_outside(address)]


def outside_loads_of_style(style: str) -> list[str]:
    """The same of a style sheet."""
    return [address for address in _IN_STYLES.findall(style) if is_outside(address)]


def is_outside(address: str) -> bool:
    """Whether an address names a host, with or without a scheme; ``data:`` names none."""
    return bool(_OUTSIDE.match(address.strip()))


class _Reader(HTMLParser):
    """Collects the addresses that a browser loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element loads."""
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.found += [values[name] for name in LOADED if name in values]
        self.found += [each.split()[0] for each in values.get("srcset", "").split(",") if each.strip()]
        self.found += _IN_STYLES.findall(values.get("style", ""))
        if tag == "link" and LOADED_LINKS & set(values.get("rel", "").lower().split()):
            self.found.append(values.get("href", ""))
        if tag in {"image", "use", "feimage"}:
            self.found += [values[name] for name in ("href", "xlink:href") if name in values]
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.found.append(values.get("content", "").lower().partition("url=")[2])

    def handle_data(self, data: str) -> None:
        """Note what a style inside the page loads."""
        if self._in_style:
            self.found += _IN_STYLES.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """A style has ended."""
        self._in_style = False


def problems(site: Path) -> Iterator[str]:
    """A line for each load from elsewhere in a folder."""
    for path in sorted(site.rglob("*")):
        if path.suffix in {".html", ".svg"}:
            found = outside_loads(path.read_text())
        elif path.suffix == ".css":
            found = outside_loads_of_style(path.read_text())
        else:
            continue
        yield from (f"{path}: {address}" for address in found)


def main(site: Path) -> int:
    """Print what is wrong; 1 where anything is, or where there is no site."""
    if not (site / "index.html").is_file():
        print(f"{site} holds no site: there is no index.html", file=sys.stderr)
        return 1
    found = list(problems(site))
    for line in found:
        print(f"loaded from another origin: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
