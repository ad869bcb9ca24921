"""The check of a session or a token, beside django-allauth, SimpleJWT, django-oauth-toolkit and better-auth.

``./dev bench session --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("session", __doc__)
