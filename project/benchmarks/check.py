"""A decision about one object and about fifty, beside django-guardian.

``./dev bench check --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("check", __doc__)
