"""The names of HTML's elements: what counts as a tag in text from outside.

https://html.spec.whatwg.org/multipage/indices.html#elements-3, and the obsolete ones in 16.2 that browsers still know.
"""

_INLINE = """
a abbr acronym b basefont bdi bdo bgsound big blink cite code data del dfn em font i img input ins kbd label mark meter
nobr output picture progress q rb ruby s samp script small span strike strong style sub sup svg time tt u var wbr
"""
_BLOCK = """
address applet area article aside audio base blockquote body br button canvas caption center col colgroup datalist dd
details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header
hgroup hr html iframe image isindex keygen legend li link listing main map marquee math menu menuitem meta multicol nav
nextid noembed noframes noscript object ol optgroup option p param plaintext pre rp rt rtc search section select slot
source spacer summary table tbody td template textarea tfoot th thead title tr track ul video xmp
"""

INLINE = frozenset(_INLINE.split())
"""Parts of a line: the text before and after them is one line."""

BLOCK = frozenset(_BLOCK.split())
"""Elements that break lines: words on both sides must not run together."""
