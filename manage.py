#!/usr/bin/env python
"""Django's command line for WedSync."""

import os
import sys

from django.core.management import execute_from_command_line

from wedsync.database import maintenance
from wedsync.env import ConfigurationError
from wedsync.runner.environment import of_running_copy
from wedsync.runner.errors import RunnerError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    try:
        os.environ.update(of_running_copy(os.environ))
        maintenance.run(execute_from_command_line, sys.argv)
    except (ConfigurationError, RunnerError) as error:
        sys.exit(f"WedSync cannot start: {error}")
