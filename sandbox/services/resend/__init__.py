"""Resend: which emails it accepts, and what it reports about them later."""
