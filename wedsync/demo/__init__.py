"""``make demo``: the four stories of docs, played on a copy of WedSync of their own.

The demo is an outsider. It acts over HTTP and WebSocket as a vendor, a client or a browser would, and believes that
something arrived only when the sandbox shows it. The copy's rows are read for what no outsider sees: priority, state
and number of attempts.

==================  ==========================================================
``__main__``        the command line
``own_copy``        starts and stops the copy
``outside``         the API, signed webhooks, the sandbox
``listening``       the live channels
``stories``         what is done, and who must hear of it
``playing``         does it, waits, and judges
``results``         the table and the JSON
==================  ==========================================================
"""
