"""The demo: its organization in a copy's database, and ``make demo``, which plays four stories on a copy of its own.

The player is an outsider and imports no model. It acts over HTTP and WebSocket as a vendor, a client or a browser
would, and believes that something arrived only when the sandbox shows it. The copy's rows are read for what no outsider
sees: priority, state and number of attempts.

==================  ==========================================================
``seed``            makes the organization; ``manage.py seed_demo``
``secret_values``   what the seed makes up once and keeps
``__main__``        the player's command line
``own_copy``        starts and stops the copy
``outside``         the API, signed webhooks, the sandbox
``listening``       the live channels
``stories``         what is done, and who must hear of it
``playing``         does it, waits, and judges
``results``         the table and the JSON
==================  ==========================================================
"""
