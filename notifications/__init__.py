"""Whom, when and how people are told."""
