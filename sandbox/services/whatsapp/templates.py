"""Fills an approved template with the parameters of a message, as strictly as Meta does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.config import TemplateButton, WhatsAppTemplate
from sandbox.services.whatsapp.errors import (
    PARAMETER_COUNT,
    PARAMETER_FORMAT,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    TEMPLATE_DISABLED,
    TEMPLATE_MISSING,
    TEMPLATE_PAUSED,
    TEXT_TOO_LONG,
    UNSUPPORTED_TYPE,
    GraphError,
)
from sandbox.wire import Json

BODY_LIMIT = 1024
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")


@dataclass(frozen=True)
class FilledTemplate:
    """What the recipient sees."""

    header: str
    body: str
    footer: str
    buttons: list[dict[str, Json]]


def choose(templates: Iterable[WhatsAppTemplate], name: str, language: str) -> WhatsAppTemplate:
    """The approved template of that name and language.

    Raises:
        GraphError: 132001 if there is none, or none that is approved yet; 132015 if it is paused for its quality,
            132016 if that happened too often and it is disabled.
    """
    for template in templates:
        if (template.name, template.language) != (name, language):
            continue
        if template.status == "PAUSED":
            raise GraphError(TEMPLATE_PAUSED, f"Template {name} is paused due to low quality.")
        if template.status == "DISABLED":
            raise GraphError(TEMPLATE_DISABLED, f"Template {name} is disabled: it was paused too many times.")
        if template.status == "APPROVED":
            return template
    raise GraphError(TEMPLATE_MISSING, f"template name ({name}) does not exist in {language}")


def fill(template: WhatsAppTemplate, components: Json) -> FilledTemplate:
    """Put the components' parameters into the template.

    Raises:
        GraphError: when their number, names or format do not match.
    """
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        raise GraphError(PARAMETER_INVALID, "template['components'] must be an array of objects")
    texts: dict[str, list[Json]] = {"header": [], "body": []}
    buttons: dict[int, dict[str, Json]] = {}
    for component in components:
        kind, parameters = str(component.get("type", "")).lower(), component.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(each, dict) for each in parameters):
            raise GraphError(PARAMETER_INVALID, f"{kind}: parameters must be an array of objects")
        if kind in texts:
            texts[kind] += parameters
        elif kind == "button":
            index = _button_index(component, template.buttons)
            buttons[index] = parameters[0] if parameters else {}
        else:
            raise GraphError(PARAMETER_INVALID, f"template['components']: unknown type {kind!r}")
    body = _substitute("body", template.body, texts["body"])
    if len(body) > BODY_LIMIT:
        raise GraphError(TEXT_TOO_LONG, f"body: {len(body)} characters, at most {BODY_LIMIT}")
    header = _substitute("header", template.header, texts["header"])
    drawn = [_button(number, button, buttons.get(number)) for number, button in enumerate(template.buttons)]
    return FilledTemplate(header, body, template.footer, drawn)


def _substitute(place: str, text: str, parameters: list[dict[str, Json]]) -> str:
    names = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    if len(parameters) != len(names):
        raise GraphError(
            PARAMETER_COUNT,
            f"{place}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(names)})",
        )
    named = any(not name.isdigit() for name in names)
    values: dict[str, str] = {}
    for position, parameter in enumerate(parameters, start=1):
        name = str(parameter.get("parameter_name", "")) if named else str(position)
        if name not in names:
            raise GraphError(PARAMETER_INVALID, f"{place}: parameter_name {name!r} is not in the template")
        values[name] = _parameter_text(place, parameter)
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _parameter_text(place: str, parameter: dict[str, Json]) -> str:
    kind = parameter.get("type")
    if kind == "text":
        text = parameter.get("text")
    elif kind in ("currency", "date_time") and isinstance(parameter.get(kind), dict):
        text = parameter[kind].get("fallback_value")
    else:
        raise GraphError(PARAMETER_FORMAT, f"{place}: parameter type {kind!r} does not match the template's text")
    if not isinstance(text, str) or not text:
        raise GraphError(PARAMETER_MISSING, f"{place}: parameter of type {kind} is missing its text value")
    if _FORBIDDEN.search(text):
        raise GraphError(
            PARAMETER_FORMAT,
            f"{place}: param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )
    return text


def _button_index(component: dict[str, Json], buttons: list[TemplateButton]) -> int:
    index, sub_type = str(component.get("index", "")), str(component.get("sub_type", "")).lower()
    if sub_type not in ("quick_reply", "url"):
        raise GraphError(UNSUPPORTED_TYPE, f"button: sub_type {sub_type!r} is not quick_reply or url")
    if not (index.isascii() and index.isdigit()) or int(index) >= len(buttons):
        raise GraphError(PARAMETER_INVALID, f"button: the template has no button at index {index!r}")
    if buttons[int(index)].type.lower() != sub_type:
        raise GraphError(PARAMETER_INVALID, f"button: the template's button at index {index} is not a {sub_type}")
    return int(index)


def _button(number: int, button: TemplateButton, parameter: dict[str, Json] | None) -> dict[str, Json]:
    drawn: dict[str, Json] = {"type": button.type.lower(), "text": button.text}
    if drawn["type"] == "quick_reply":
        # If the sender gives no payload, Meta sends the button's text back.
        drawn["payload"] = button.text
        if parameter is not None:
            if parameter.get("type") != "payload" or not isinstance(parameter.get("payload"), str):
                raise GraphError(PARAMETER_FORMAT, f"button {number}: needs one parameter of type payload")
            drawn["payload"] = parameter["payload"]
    elif drawn["type"] == "url":
        placeholders = _PLACEHOLDER.findall(button.url)
        if bool(placeholders) != (parameter is not None):
            expected = "needs" if placeholders else "takes no"
            raise GraphError(PARAMETER_COUNT, f"button {number}: {expected} URL parameter")
        suffix = _parameter_text(f"button {number}", parameter) if parameter is not None else ""
        drawn["url"] = _PLACEHOLDER.sub(lambda _: suffix, button.url)
    return drawn
