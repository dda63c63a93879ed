"""The demo: its organization in a copy's database, and ``make demo``, which plays four stories on its own copy.

The player is an outsider and imports no model. It acts over HTTP and WebSocket as a vendor, a client or a browser
would, and counts something as arrived only when the sandbox shows it. It reads the copy's rows only for what outsiders
cannot see: priority, state and number of attempts.

==================  ==========================================================
``seed``            creates the organization; ``manage.py seed_demo``
``secret_values``   what the seed generates once and keeps
``__main__``        the player's command line
``own_copy``        starts and stops the copy
``outside``         the API, signed webhooks, the sandbox
``listening``       the live channels
``stories``         what is done, and who must be told
``playing``         does it, waits, and judges
``results``         the table and the JSON
==================  ==========================================================
"""
