"""An organization's own words: their versions, their checks, and how they would look."""
