"""What the tests of outside calls share."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from integrations.outbound import Call, Response, names, send, sending


@pytest.fixture
def post(settings: Settings) -> Iterator[Callable[..., Response]]:
    """Send a request to a peer of the test; 127.0.0.1 may be called at the URL's port, and nothing else."""

    def call(url: str, *, method: str = "POST", deadline: float = 5.0, body: bytes = b"{}", **headers: str) -> Response:
        settings.OUTBOUND_ALLOW = (f"127.0.0.1/32:{urlsplit(url).port}",)
        return send(Call(method, url, body, headers), deadline=deadline)

    yield call
    sending.close_idle()
    names.forget()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[str], list[str]]], list[str]]]:
    """Replace the system's resolver, an edge that is not ours; gives the list of names that were asked for."""
    asked: list[str] = []

    def replace(answer: Callable[[str], list[str]]) -> list[str]:
        def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            return [(0, 0, 0, "", (address, 0)) for address in answer(host)]

        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
        return asked

    names.forget()
    yield replace
    names.forget()
