"""Stands in for every outside service: real wire formats over real HTTP, with state, rate limits and faults on demand.

It imports nothing of the product, so that a misunderstanding in an adapter cannot hide in shared code.
"""
