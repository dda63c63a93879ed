"""What stands behind ``make run``: the home folder, the embedded servers, and the supervisor of every process.

Nothing here imports Django: the runner starts before there is a database to configure.
"""
