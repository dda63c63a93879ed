"""Resend: what it takes as an email, and what it tells of it later."""
