"""Slack's incoming webhooks, and its limits on blocks."""
