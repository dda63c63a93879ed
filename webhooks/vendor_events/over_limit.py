"""The share of the limits that is kept for emergencies: over a limit they still pass, a bounded number of times.

Over a limit a request to a known connection is read on, and where it may report an emergency its signature is checked:
at most 120 times an hour for an address. What is not signed counts there, and nowhere else. Of what is signed, 60
emergencies an hour pass for a connection. Ordinary events use up nothing of either, since a look at their bytes tells
them apart (docs/adr/0066).

A signed body that is too large is read on, at most 120 times an hour for an address, so that an emergency in it alerts
staff; it counts among the 60 of its connection.
"""

from webhooks.limits import Limits
from webhooks.vendor_events import emergencies


class EmergencyShare:
    """What is left for emergencies, in this process and with the others."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def reads(self, sender: str) -> bool:
        """Whether another body of an address over its limit is read."""
        return self._limits.reads_over.count(sender).passes

    def reads_large(self, sender: str) -> bool:
        """Whether another body is read on that is too large to be taken."""
        return self._limits.reads_large.count(sender).passes

    def checks(self, sender: str, body: bytes) -> bool:
        """Whether the signature of a request over a limit is checked."""
        return emergencies.may_be_one(body) and self._limits.checks_over.count(sender).passes

    def passes(self, connection_id: str) -> bool:
        """Whether a verified emergency passes."""
        return self._limits.emergencies_over.count(connection_id).passes
