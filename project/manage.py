#!/usr/bin/env python
"""Django's command line, on development settings unless the environment says otherwise."""

import sys

from django.core.management import execute_from_command_line

from enterprise_auth.env import use_settings

if __name__ == "__main__":
    use_settings("enterprise_auth.settings.development")
    execute_from_command_line(sys.argv)
