"""The site that `make docs` builds: whole, searchable, and without anything from another origin."""

import html
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Locator, Page, sync_playwright

from tests.docs.pages import ROOT, pages
from tests.live.browsing import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM
from tests.polling import until

NEEDS_MKDOCS = pytest.mark.skipif(
    not importlib.util.find_spec("mkdocs") and "CI" not in os.environ, reason="`make docs` has not installed mkdocs"
)


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "site" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


origins = _script("origins")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a site")
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<script src="//cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<LINK REL="preconnect" HREF="https://fonts.example">',
        '<img src="a.png" srcset="a.png 1x, https://cdn.example/b.png 2x">',
        '<iframe src="HTTPS://video.example"></iframe>',
        '<div style="background: url(https://cdn.example/a.png)"></div>',
        "<style>@import 'https://cdn.example/a.css';</style>",
        '<svg><image href="https://cdn.example/a.png"/></svg>',
        '<object data="ftp://files.example/a"></object>',
        '<meta http-equiv="refresh" content="0; url=https://elsewhere.example">',
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(page: str) -> None:
    assert len(origins.outside_loads(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://elsewhere.example">a link</a>',
        '<link rel="canonical" href="https://docs.example/">',
        '<img src="../pictures/a.svg"><script src="/a.js"></script>',
        '<img src="data:image/png;base64,AAAA//AA">',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#tip"/></svg>',
        "<p>url(https://cdn.example/a.png)</p>",
    ],
)
def test_what_a_reader_follows_and_what_lies_here_is_let_through(page: str) -> None:
    assert origins.outside_loads(page) == []


def test_a_site_with_a_foreign_style_or_without_a_page_is_refused(tmp_path: Path) -> None:
    assert origins.main(tmp_path) == 1
    (tmp_path / "index.html").write_text("<h1>Here</h1>")
    assert origins.main(tmp_path) == 0
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/a.woff2') }")
    assert origins.main(tmp_path) == 1


@NEEDS_MKDOCS
def test_each_page_is_part_of_the_site_and_of_its_search(site: Path) -> None:
    found = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    titles = {html.unescape(re.sub("<[^>]+>", "", entry["title"])) for entry in found}

    assert len(pages()) > 110
    for page in pages():
        title = page.read_text().partition("\n")[0].removeprefix("# ")
        assert title.replace("`", "") in titles, page
    assert list(origins.problems(site)) == []


@NEEDS_MKDOCS
def finds(page: Page, text: str, result: Locator) -> bool:
    """Whether the search shows a result. What is typed before the search has read its index finds nothing."""
    box = page.get_by_role("textbox", name="Search")
    box.fill("")
    box.press_sequentially(text)
    try:
        result.wait_for(timeout=2_000)
    except Error:
        return False
    return True


@NEEDS_CHROMIUM
def test_a_browser_loads_nothing_from_elsewhere_and_the_search_finds_a_page(origin: str) -> None:
    assert CHROMIUM, "chromium is missing; .ci/run installs it"
    asked: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.on("request", lambda request: asked.add(request.url))
        for path in ("/", "/architecture/", "/developers/realtime-clients/", "/vendors/venue_master/"):
            page.goto(origin + path, wait_until="networkidle")
        page.goto(origin + "/", wait_until="networkidle")
        found = page.locator(".md-search-result__item a", has_text="Deliveries").first
        until(lambda: finds(page, "loop_stopped", found), 60, what="the search knowing its index")
        found.click()
        page.wait_for_url(f"{origin}/staff/deliveries/**")
        browser.close()

    assert f"{origin}/pictures/way-of-an-event.svg" in asked
    assert {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))} == {
        urlsplit(origin).netloc
    }
