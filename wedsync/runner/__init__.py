"""What stands behind ``make run``: the home folder, the embedded servers, and the supervisor of every process.

Nothing here imports Django or the product: the runner starts before there is a database to configure. It knows them as
commands only: the Procfile's, and those of ``__main__.SETUP``. ``make lint`` checks it.
"""
