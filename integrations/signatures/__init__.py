"""Signatures of inbound requests and of ours. Pure."""
