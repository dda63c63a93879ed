"""How the control API reads requests and answers them."""

from __future__ import annotations

import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sandbox.wire import Json

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], body: dict[str, Json]) -> Model:
    """The body as a model.

    Raises:
        HTTPBadRequest: naming each invalid field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        places = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise bad("; ".join(places)) from error


async def read_object(request: web.Request) -> dict[str, Json]:
    """The request's JSON object.

    Raises:
        HTTPBadRequest: if the body is not a JSON object.
    """
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise bad("the body must be JSON") from error
    if not isinstance(body, dict):
        raise bad("the body must be a JSON object")
    return body


def integer(request: web.Request, name: str, default: int) -> int:
    """A non-negative integer of the query.

    Raises:
        HTTPBadRequest: if it is not one.
    """
    text = request.query.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad(f"{name}: must be a non-negative integer")
    return int(text)


def bad(message: str) -> web.HTTPBadRequest:
    """The error to raise for a caller's mistake."""
    return web.HTTPBadRequest(text=json.dumps({"error": message}), content_type="application/json")


def answer(value: Json, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(
        status=status, body=json.dumps(value, ensure_ascii=False).encode(), content_type="application/json"
    )
