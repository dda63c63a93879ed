"""The door in: vendors' events and providers' callbacks."""
