"""How one target's trouble affects the others, and what a target that fails now and then receives in the end.

==============  ==========================================================
``__main__``    the command line of ``make bench-isolation``
``stage``       the stage of ``bench.deliver``, with a port for each target in trouble
``standby``     a process inside the product that waits for commands
``inside``      those commands
``rows``        the targets, the beat and the backlog
``dead``        others beside a dead target with thousands of waiting deliveries
``breaker``     the calls to a dead target, counted from rows
``flaky``       targets that fail a tenth of their calls
``report``      JSON, and a table of required and measured figures
==============  ==========================================================
"""
