"""How dates and times are typed into forms: only ISO 8601, so that 12/06/2027 is never mistaken for another day."""
