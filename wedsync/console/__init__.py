"""The live console of staff at ``/``, and the trace of an event."""
