"""Slack's limits on blocks, and their text as a person reads it.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sandbox.wire import Json

MOST_BLOCKS = 50
MARKDOWN_LIMIT = 12_000


class InvalidBlocks(ValueError):
    """Slack says only `invalid_blocks`; the text here is for the request log."""


def check_blocks(blocks: Json) -> None:
    """Check a message's blocks against the published limits.

    Raises:
        InvalidBlocks: naming the place.
    """
    if not isinstance(blocks, list):
        raise InvalidBlocks("blocks must be an array")
    _refuse(f"more than {MOST_BLOCKS} blocks", unless=len(blocks) <= MOST_BLOCKS)
    seen: set[str] = set()
    markdown = 0
    for number, block in enumerate(blocks):
        place = f"blocks[{number}]"
        _refuse(f"{place} must be an object", unless=isinstance(block, dict))
        check = _CHECKS.get(str(block.get("type")))
        if check is None:
            raise InvalidBlocks(f"{place}: unknown type {block.get('type')!r}")
        block_id = block.get("block_id", "")
        _refuse(f"{place}: block_id over 255", unless=isinstance(block_id, str) and len(block_id) <= 255)
        _refuse(f"{place}: block_id is used twice", unless=not block_id or block_id not in seen)
        seen.add(block_id)
        check(place, block)
        markdown += len(block["text"]) if block["type"] == "markdown" else 0
    _refuse(f"markdown over {MARKDOWN_LIMIT}", unless=markdown <= MARKDOWN_LIMIT)


def flatten(blocks: Json) -> str:
    """The blocks as plain lines."""
    lines: list[str] = []
    for block in blocks if isinstance(blocks, list) else []:
        parts = [block.get("text"), block.get("title"), *block.get("fields", []), *block.get("elements", [])]
        if block.get("accessory"):
            parts.append(block["accessory"])
        texts = [text for text in map(_text_of, parts) if text]
        if block.get("type") == "image":
            texts.append(f"[image: {block.get('alt_text', '')}]")
        lines.append((" · " if block.get("type") in ("context", "actions") else "\n").join(texts))
    return "\n".join(line for line in lines if line)


def _text_of(part: Json) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    if part.get("type") == "button":
        return f"[{_text_of(part.get('text'))}]"
    if part.get("type") in ("mrkdwn", "plain_text", "text"):
        return str(part.get("text", ""))
    if isinstance(part.get("elements"), list):
        return "".join(_text_of(each) for each in part["elements"])
    return str(part.get("alt_text", ""))


def _refuse(mistake: str, *, unless: bool) -> None:
    if not unless:
        raise InvalidBlocks(mistake)


def _text_object(place: str, value: Json, limit: int, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> None:
    _refuse(f"{place} must be a text object of {kinds}", unless=isinstance(value, dict) and value.get("type") in kinds)
    text = value.get("text")
    _refuse(f"{place}: text must have 1 to {limit} characters", unless=isinstance(text, str) and 0 < len(text) <= limit)


def _section(place: str, block: Mapping[str, Json]) -> None:
    _refuse(f"{place}: text or fields", unless="text" in block or "fields" in block)
    if "text" in block:
        _text_object(f"{place}.text", block["text"], 3000)
    fields = block.get("fields", [])
    _refuse(f"{place}: at most 10 fields", unless=isinstance(fields, list) and len(fields) <= 10)
    _refuse(f"{place}: fields must not be empty", unless="fields" not in block or len(fields) > 0)
    for each in fields:
        _text_object(f"{place}.fields", each, 2000)
    if "accessory" in block:
        _element(f"{place}.accessory", block["accessory"])


def _header(place: str, block: Mapping[str, Json]) -> None:
    _text_object(f"{place}.text", block.get("text"), 150, ("plain_text",))


def _context(place: str, block: Mapping[str, Json]) -> None:
    elements = block.get("elements")
    _refuse(f"{place}: 1 to 10 elements", unless=isinstance(elements, list) and 0 < len(elements) <= 10)
    for each in elements or []:
        if isinstance(each, dict) and each.get("type") == "image":
            _image(place, each)
        else:
            _text_object(f"{place}.elements", each, 3000)


def _actions(place: str, block: Mapping[str, Json]) -> None:
    elements = block.get("elements")
    _refuse(f"{place}: 1 to 25 elements", unless=isinstance(elements, list) and 0 < len(elements) <= 25)
    for each in elements or []:
        _element(f"{place}.elements", each)


def _element(place: str, element: Json) -> None:
    _refuse(f"{place} must be an element", unless=isinstance(element, dict) and isinstance(element.get("type"), str))
    if element["type"] == "image":
        _image(place, element)
    if element["type"] != "button":
        return
    _text_object(f"{place}.text", element.get("text"), 75, ("plain_text",))
    for name, limit in (("value", 2000), ("action_id", 255), ("url", 3000)):
        value = element.get(name, "")
        _refuse(f"{place}: {name} over {limit}", unless=isinstance(value, str) and len(value) <= limit)
    _refuse(f"{place}: style is primary or danger", unless=element.get("style", "primary") in ("primary", "danger"))


def _image(place: str, block: Mapping[str, Json]) -> None:
    _refuse(f"{place}: image_url", unless="image_url" in block or "slack_file" in block)
    alt = block.get("alt_text")
    _refuse(f"{place}: alt_text", unless=isinstance(alt, str) and len(alt) <= 2000)


def _markdown(place: str, block: Mapping[str, Json]) -> None:
    _refuse(f"{place}: text", unless=isinstance(block.get("text"), str) and bool(block["text"]))


def _rich_text(place: str, block: Mapping[str, Json]) -> None:
    _refuse(f"{place}: elements", unless=isinstance(block.get("elements"), list))


def _divider(_place: str, _block: Mapping[str, Json]) -> None:
    """A divider has no fields."""


_CHECKS: Mapping[str, Callable[[str, Mapping[str, Json]], None]] = MappingProxyType(
    {
        "section": _section,
        "header": _header,
        "context": _context,
        "actions": _actions,
        "image": _image,
        "markdown": _markdown,
        "rich_text": _rich_text,
        "divider": _divider,
    }
)
