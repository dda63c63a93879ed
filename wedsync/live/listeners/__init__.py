"""Who listens now, in all web processes: asked when somebody looks, since it changes with every second."""
