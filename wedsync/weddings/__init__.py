"""Organizations, weddings, contacts and their addresses; the wedding day."""
