"""What one target's trouble costs the others, and what a target that fails now and then gets in the end.

==============  ==========================================================
``__main__``    the command line of ``make bench-isolation``
``stage``       the ground of ``bench.deliver``, with a port for each target in trouble
``standby``     a command inside the product that waits for its word
``inside``      those commands
``rows``        the targets, the beat and the backlog
``dead``        others beside a dead target with thousands of waiting deliveries
``breaker``     what rows say about the calls to a dead target
``flaky``       targets that fail a tenth of their calls
``report``      JSON, asked and seen
==============  ==========================================================
"""
