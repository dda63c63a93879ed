"""How many text messages a text needs: GSM 03.38 packs 160 characters into one, any other encoding only 70.

https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding
"""

from __future__ import annotations

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = "\f^{}\\[~]|€"


def encoding_of(text: str) -> str:
    """`GSM-7` or `UCS-2`."""
    return "GSM-7" if all(each in _BASIC or each in _ESCAPED for each in text) else "UCS-2"


def segments_of(text: str) -> int:
    """The number of parts that are sent and paid for."""
    if encoding_of(text) == "GSM-7":
        sizes, whole, part = [2 if each in _ESCAPED else 1 for each in text], 160, 153
    else:
        sizes, whole, part = [len(each.encode("utf-16-be")) // 2 for each in text], 70, 67
    if sum(sizes) <= whole:
        return 1
    parts, used = 1, 0
    for size in sizes:  # no character is split between two parts
        if used + size > part:
            parts, used = parts + 1, 0
        used += size
    return parts
