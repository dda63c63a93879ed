"""The live channels' AsyncAPI description, made from the code, and the page that shows it."""
