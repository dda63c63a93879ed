"""The language of a page whose link names no reader."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from notifications.wording.languages import DEFAULT_LANGUAGE, LANGUAGES


def language_of(request: HttpRequest) -> str:
    """The first of the browser's languages that we have; else English."""
    accepted = (tag.split("-")[0] for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    return next((tag for tag in accepted if tag in LANGUAGES), DEFAULT_LANGUAGE)
