"""The API's description in OpenAPI, and the page that shows it."""
