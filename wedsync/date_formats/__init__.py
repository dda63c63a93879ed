"""How dates and times are typed into forms: ISO 8601 alone, so that 12/06/2027 is never taken for another day."""
