"""How many segments a text message needs, and replacements of characters that save segments. Pure.

GSM 03.38 packs 160 characters of its own alphabet into one segment, or 153 into each of several; ten count as two.
A text with any other character is sent as UCS-2: 70, or 67 in each of several.
https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

import re
import unicodedata

MOST = 3  # segments of one of our messages
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _ESCAPED
_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("‐‑‒–—―·•−", "-"),
        **dict.fromkeys("\t\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " "),
        "‹": "<", "›": ">", "…": "...", "×": "x", "→": "->", "←": "<-", "≤": "<=", "≥": ">=",
        "\u00ad": "", "\u200b": "",
    }
)  # fmt: skip
_SYMBOLS = frozenset({"So", "Sk", "Cf", "Mn", "Cn", "Co"})  # emoji, with their joiners and skin tones
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55][\ufe0e\ufe0f\u200d\U000e0020-\U000e007f]*|\ufe0f?\u20e3"
)
_SPACES = re.compile(" {2,}")
_WITHOUT_MARKS = str.maketrans({"œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ð": "d"})


def is_gsm(text: str) -> bool:
    """Whether every character is in GSM's alphabet."""
    return _GSM.issuperset(text)


def encoding(text: str) -> str:
    """``GSM-7`` or ``UCS-2``."""
    return "GSM-7" if is_gsm(text) else "UCS-2"


def count(text: str) -> int:
    """The segments of a text. No character is split between two of them."""
    if is_gsm(text):
        sizes, whole, part = [2 if each in _ESCAPED else 1 for each in text], 160, 153
    else:
        sizes, whole, part = [2 if ord(each) > 0xFFFF else 1 for each in text], 70, 67
    if sum(sizes) <= whole:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return segments


def plain(text: str) -> str:
    """The text with plain quotation marks, dashes and spaces, which GSM has."""
    return text.translate(_TYPOGRAPHIC)


def unaccented(text: str) -> str:
    """The plain text with the letters that GSM lacks written without their marks, ``á`` as ``a``, and without emoji.

    Letters of other scripts stay, since nothing could replace them, but their marks do not: only a text that is then
    GSM's may be sent.
    """
    composed = plain(unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", "".join(each if each in _GSM else _bare(each) for each in composed)).strip()


def readable(text: str) -> str:
    """The plain text without emoji. All letters and their marks stay, and so do joiners within words."""
    return _SPACES.sub(" ", _EMOJI.sub("", "…".join(map(plain, text.split("…"))))).strip()


def _bare(letter: str) -> str:
    if letter in "œŒłŁđĐıð":
        return letter.translate(_WITHOUT_MARKS)
    base = "".join(each for each in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(each))
    if base and is_gsm(base):
        return base
    return "" if unicodedata.category(letter) in _SYMBOLS else letter
