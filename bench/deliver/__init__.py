"""How fast deliveries leave, how soon urgent ones do, and what the product costs while nothing happens.

==============  ==========================================================
``__main__``    the command line of ``make bench-deliver``
``stage``       what all parts stand on: servers, sink, workers, rows
``sink``        where deliveries go: an HTTP server of its own process
``rows``        the product's rows, and the one place that chooses them
``inside``      the commands that run inside the product's own Django
``baselines``   the bare Celery task that ours is compared with
``throughput``  deliveries per second, ours and bare, round by round
``urgent``      urgent deliveries, alone and beside a backlog
``idle``        the processor's time of a whole copy that has nothing to do
``shares``      what each channel takes from event to acceptance
``processor``   seconds of the processor that processes have spent
``report``      ratios, verdicts, JSON, table
==============  ==========================================================
"""
