"""The couple's page: their wedding as it is now, live, behind a personal link and without a login."""
