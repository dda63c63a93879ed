"""The processes of a copy: reads them from the Procfile, starts, watches, restarts and ends them."""
