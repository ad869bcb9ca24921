"""A login with a password, beside django-allauth, SimpleJWT and better-auth, and the hash ceiling.

``./dev bench login --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("login", __doc__)
