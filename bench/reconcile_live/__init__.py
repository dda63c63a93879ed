"""Clients of the live channels that drop and go on while servers are killed, compared with the log at the end."""
