"""Folders and files stay small enough to be seen whole."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("wedsync", "integrations", "notifications", "webhooks", "sandbox")
MOST_MODULES = 15  # side by side in a folder; ``__init__.py`` is the folder's own
MOST_LINES = 300


def python_files(*tops: str) -> list[Path]:
    return [file for top in tops for file in sorted((ROOT / top).rglob("*.py")) if "migrations" not in file.parts]


def test_no_folder_of_the_product_shows_more_modules_than_a_reader_takes_in() -> None:
    folders: dict[Path, int] = {}
    for file in python_files(*PRODUCT):
        folders[file.parent] = folders.get(file.parent, 0) + (file.name != "__init__.py")

    assert len(folders) > 60
    assert {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_no_file_is_longer_than_a_reader_holds_in_mind() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in python_files(*PRODUCT, "bench", "tests")}

    assert len(lengths) > 900
    assert {str(file.relative_to(ROOT)): lines for file, lines in lengths.items() if lines > MOST_LINES} == {}
