"""What the built site takes from outside docs/, and its navigation, which is the index in docs/README.md."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
BROUGHT = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "bench/README.md": "project/bench.md",
    "sandbox/README.md": "project/sandbox.md",
    "clients/python/README.md": "project/python-client.md",
}
"""Pages of the repository that are part of the site, and their places in it."""

_HOME = {place: name for name, place in BROUGHT.items()}
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[\w-]+)?\)")
_REFERENCE = re.compile(r"^(\[[^\]]+\]): ([^\s#]+)(#[\w-]+)?$", re.MULTILINE)
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the navigation: a section for each chapter of the index, an entry for each page that it links."""
    index = (ROOT / "docs" / "README.md").read_text()
    config.nav = [{"Start": [{"Documentation": "README.md"}, {"README": BROUGHT["README.md"]}]}]
    for chapter in index.split("\n## ")[1:]:
        title, _, text = chapter.partition("\n")
        entries = [{name: _place(path, "docs/README.md")} for name, path, _ in _LINK.findall(text)]
        config.nav.append({title: entries})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring in the pages that lie outside docs/."""
    for name, place in BROUGHT.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to the pages' places in the site. What is in the repository alone becomes its name."""
    home = _HOME.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def at_its_place(path: str) -> str | None:
        place = path if re.match(r"[a-z]+:", path) else _place(path, home)
        return place if place == path or not place else posixpath.relpath(place, posixpath.dirname(page.file.src_uri))

    def link(found: re.Match[str]) -> str:
        place = at_its_place(found[2])
        return f"[{found[1]}]({place}{found[3] or ''})" if place else found[1]

    def reference(found: re.Match[str]) -> str:
        return f"{found[1]}: {at_its_place(found[2])}{found[3] or ''}"

    parts = _FENCE.split(markdown)
    return "".join(
        part if part.startswith("```") else _REFERENCE.sub(reference, _LINK.sub(link, part)) for part in parts
    )


def _place(path: str, home: str) -> str | None:
    """The place in the site of what a page of the repository links; none where it is not part of the site."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(home), path))
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return BROUGHT.get(target)
