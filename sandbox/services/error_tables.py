"""A provider's published error codes, each with the HTTP status and the title that it is sent with."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorTable:
    """The codes by number. ``usual``: the code for a status that comes without one; else ``refused`` or ``failed``."""

    codes: Mapping[int, tuple[int, str]]
    usual: Mapping[int, int]
    refused: int
    failed: int

    def __contains__(self, code: int | None) -> bool:
        return code in self.codes

    def status_of(self, code: int, default: int) -> int:
        """The HTTP status of a code."""
        return self.codes[code][0] if code in self.codes else default

    def title_of(self, code: int, default: str) -> str:
        """The title of a code."""
        return self.codes[code][1] if code in self.codes else default

    def complete(self, status: int | None, code: int | None) -> tuple[int, int]:
        """A fault's status and code. A missing status is that of the code, or 503; a missing code suits the status."""
        if status is None:
            status = 503 if code is None else self.status_of(code, 503)
        if code is None:
            code = self.usual.get(status, self.refused if status < 500 else self.failed)
        return status, code
