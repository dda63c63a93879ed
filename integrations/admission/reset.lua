return reset()
