"""The words of a message: one template per event type and language, the same for every channel unless it has its own.

A template's first line is the headline, every further line a fact, written ``Label: value`` where it has a label. The
channels lay these out; vendor text is escaped there, for the channel that it goes to. Staff read
docs/staff/templates.md.
"""

from notifications.wording.content import Content, Fact, Subject
from notifications.wording.languages import DEFAULT_LANGUAGE
from notifications.wording.writing import DIGEST, FALLBACK, reworded, write

__all__ = ["DEFAULT_LANGUAGE", "DIGEST", "FALLBACK", "Content", "Fact", "Subject", "reworded", "write"]
