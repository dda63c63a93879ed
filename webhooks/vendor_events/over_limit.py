"""The share of the limits reserved for emergencies: over a limit they still pass, a bounded number of times.

Over a limit, a request to a known connection is still read, and if it may report an emergency, its signature is
checked: at most 120 times an hour per address. Unsigned requests count only there. Of signed ones, 60 emergencies an
hour pass per connection. Ordinary events use up neither share, since their bytes show what they are (docs/adr/0066).

A signed body that is too large is still read, at most 120 times an hour per address, so that an emergency in it alerts
staff; it counts among its connection's 60.
"""

from webhooks.limits import Limits
from webhooks.vendor_events import emergencies


class EmergencyShare:
    """The share for emergencies, counted together with the other processes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def reads(self, sender: str) -> bool:
        """Whether to read another body from an address over its limit."""
        return self._limits.reads_over.count(sender).passes

    def reads_large(self, sender: str) -> bool:
        """Whether to read another body that is too large to be accepted."""
        return self._limits.reads_large.count(sender).passes

    def checks(self, sender: str, body: bytes) -> bool:
        """Whether to check the signature of a request over a limit."""
        return emergencies.may_be_one(body) and self._limits.checks_over.count(sender).passes

    def passes(self, connection_id: str) -> bool:
        """Whether a verified emergency passes."""
        return self._limits.emergencies_over.count(connection_id).passes
