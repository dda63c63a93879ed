"""The API's OpenAPI description, and the page that shows it."""
