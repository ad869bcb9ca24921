#!/usr/bin/env python
"""Django's command line, on development settings unless the environment says otherwise."""

import json
import sys

from django.core.management import execute_from_command_line

from auth_core.request.context import Context, bound, new_correlation_id
from enterprise_auth.env import InvalidEnvironment, use_settings


def main() -> None:
    """Run a command. Report invalid settings in a few lines, without a traceback."""
    use_settings("enterprise_auth.settings.development")
    try:
        # All that a command logs and records has one id.
        with bound(Context(new_correlation_id())):
            execute_from_command_line(sys.argv)
    except InvalidEnvironment as refusal:
        if sys.argv[1:2] == ["check_setup"] and "--json" in sys.argv:
            rows = [
                {"part": "environment", "status": "error", "message": problem, "remedy": "Set it; see .env.example."}
                for problem in refusal.problems
            ]
            sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        else:
            sys.stderr.write(f"{refusal}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
