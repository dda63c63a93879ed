#!/usr/bin/env python
"""Django's command line for WedSync."""

import os
import sys

from django.core.management import execute_from_command_line

from wedsync.env import ConfigurationError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"WedSync can not start: {error}")
