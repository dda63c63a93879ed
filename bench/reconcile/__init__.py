"""Checks that no accepted request is lost or half stored, whatever is killed meanwhile."""
