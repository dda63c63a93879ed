"""What the couple's page says, in the reader's language and the venue's time."""
