"""The page at `/`: what arrived, as a person would see it."""
