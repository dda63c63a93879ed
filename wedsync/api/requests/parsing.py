"""Parses bodies of the API as strictly as those of webhooks. docs/vendors/README.md, "What comes back"."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from wedsync.wire import strict_json
from wedsync.wire.strict_json import LARGEST


class BodyTooLarge(APIException):
    """More than 256 KiB."""

    status_code = 413
    default_detail = f"The body may have at most {LARGEST} bytes."


class StrictJsonParser(BaseParser):
    """UTF-8 JSON without NaN, duplicate keys, deep nesting, NUL or lone surrogates; no body is an empty object."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body's value."""
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise BodyTooLarge
        try:
            value = strict_json.loads(body) if body else {}
        except strict_json.NotStrictJson as error:
            raise ParseError(f"{error}.") from error
        if not strict_json.is_storable(value):
            raise ParseError("The body contains a NUL or a lone surrogate, which texts must not contain.")
        return value
