"""Pages are short, can be found from the index, and what they and the code refer to is there."""

import re

from tests.docs.pages import BY_READER, ROOT, anchor, chapters, pages, paragraphs, tracked, without_code

LONGEST = 150  # lines
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MENTION = re.compile(r"docs/[\w./-]+\.md(?:, \"([^\"]+)\")?")


def test_each_page_for_a_reader_is_short() -> None:
    found = [page for folder in BY_READER for page in (ROOT / "docs" / folder).glob("*.md")]

    assert len(found) > 25
    assert {str(page): lines for page in found if (lines := page.read_text().count("\n")) > LONGEST} == {}


def test_the_index_leads_to_each_page() -> None:
    text = (ROOT / "docs" / "README.md").read_text()
    linked = {(ROOT / "docs" / target).resolve() for target in LINK.findall(text)}
    decisions = ROOT / "docs" / "adr"

    mine = {page for page in pages() if page.is_relative_to(ROOT / "docs") and page.parent != decisions}
    assert mine - linked == {ROOT / "docs" / "README.md"}


def test_each_link_leads_to_a_page_and_a_chapter_that_exist() -> None:
    broken = []
    for page in pages():
        for target in LINK.findall(without_code(page.read_text())):
            path, _, chapter = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / path).resolve() if path else page
            known = {anchor(title) for title in chapters(there)} if there.suffix == ".md" and there.is_file() else set()
            if not there.exists() or (chapter and chapter not in known):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_each_page_that_the_code_names_exists_with_its_chapter() -> None:
    broken = []
    for path in tracked():
        if path.suffix in {".py", ".js", ".html", ".yaml", ".txt", ".json", ".toml"}:
            for found in MENTION.finditer(path.read_text()):
                page = ROOT / found[0].partition(",")[0]
                if not page.is_file() or (found[1] and found[1] not in chapters(page) | paragraphs(page)):
                    broken.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert broken == []
