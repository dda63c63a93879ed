"""Implements ``make run``: the home folder, the embedded servers, and the supervisor of every process.

Nothing here imports Django or the product, since the runner starts before there is a database to configure. It knows
them only as commands: the Procfile's, and those in ``__main__.SETUP``. ``make lint`` checks this.
"""
