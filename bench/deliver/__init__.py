"""How fast deliveries leave, how soon urgent ones do, and the product's cost while idle.

==============  ==========================================================
``__main__``    the command line of ``make bench-deliver``
``stage``       what all parts use: servers, sink, workers, rows
``sink``        where deliveries go: an HTTP server in its own process
``rows``        the product's rows, chosen only here
``inside``      the commands that run inside the product's own Django
``baselines``   the bare Celery task that ours is compared with
``throughput``  deliveries per second, ours and bare, round by round
``urgent``      urgent deliveries, alone and beside a backlog
``idle``        the processor time of a whole idle copy
``shares``      each channel's time from event to acceptance
``processor``   the processor time that processes have used
``report``      ratios, verdicts, JSON, table
==============  ==========================================================
"""
