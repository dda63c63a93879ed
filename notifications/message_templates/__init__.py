"""An organization's own message templates: their versions, checks and previews."""
