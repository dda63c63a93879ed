"""The staff's live console at ``/``, and the trace of an event."""
