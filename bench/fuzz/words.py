"""Texts whose plain form is known, and texts made to be costly."""

TOLD = {
    "Pressure<limit in the cellar, leave the building at once": None,
    "Front desk <desk@venue.example>": None,
    "No light in <Hall 2>": None,
    "the end <b": None,
    "5 < 6 > 4 <3 <!-- no end": None,
    "a &lt;b&gt; &amp; c": None,
    "<b>No</b> <i class='x'>light</i>": "No light",
    "<<b>b>no light": "no light",
    "<p>no light</p><p>call Tom</p>": "no light\ncall Tom\n",
    "<td>Table 5</td><td>12 guests</td>": "Table 5\n12 guests\n",
    "<script>alert(1)</script>Hall": "Hall",
    "<limit <b>3 bar</b>>": "<limit 3 bar>",
    **{f"Table 5{end}12 guests": "Table 5\n12 guests" for end in ("\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028")},
}
"""Texts as sent, and as they must be told; ``None``: unchanged."""

_LENGTH = 200_000
COSTLY = (
    "&" * _LENGTH + "<<<<b>b>b>a>",
    *(unit * (_LENGTH // len(unit)) for unit in ("<b>", "<<b>b>", "<div>", "<a ", "<a ='", "<!--", "<script>", "<")),
    "<" * (_LENGTH // 3) + "b>" * (_LENGTH // 3),
)
"""Texts that must not delay other requests."""


def is_told_rightly(said: str, told: str) -> bool:
    """Whether a text is told as it must be; texts that are not listed always pass."""
    return said not in TOLD or told == (TOLD[said] or said)
