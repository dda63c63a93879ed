"""The base of every admin page, which is confined to the user's organizations."""
