"""What keeps a Celery worker with its broker."""
