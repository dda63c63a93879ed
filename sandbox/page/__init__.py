"""The page at `/`: the messages that arrived, as a person would see them."""
