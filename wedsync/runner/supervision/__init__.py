"""The processes of a copy: read from the Procfile, started, watched, restarted, ended."""
