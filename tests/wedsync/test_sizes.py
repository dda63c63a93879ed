"""Folders and files stay small enough to be seen whole."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("wedsync", "integrations", "notifications", "webhooks", "sandbox")
MOST_MODULES = 15  # side by side in a folder; ``__init__.py`` is the folder's own
MOST_LINES = 300

STILL_LONG: set[str] = {
    "notifications/incidents/opening.py",
}
"""Files that are still too long. This list only ever gets shorter."""


def python_files(*tops: str) -> list[Path]:
    return [file for top in tops for file in sorted((ROOT / top).rglob("*.py")) if "migrations" not in file.parts]


def too_long(*tops: str) -> set[str]:
    return {
        str(file.relative_to(ROOT)) for file in python_files(*tops) if len(file.read_text().splitlines()) > MOST_LINES
    }


def test_no_folder_of_the_product_shows_more_modules_than_a_reader_takes_in() -> None:
    folders: dict[Path, int] = {}
    for file in python_files(*PRODUCT):
        folders[file.parent] = folders.get(file.parent, 0) + (file.name != "__init__.py")

    assert len(folders) > 60
    assert {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_only_files_of_the_list_are_too_long_and_each_of_them_is() -> None:
    assert too_long(*PRODUCT, "bench", "tests") == STILL_LONG
