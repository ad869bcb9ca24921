"""The provider beside django-oauth-toolkit, oidc-provider and SimpleJWT: tokens, introspection, and the check of a token.

``./dev bench oauth --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("oauth", __doc__)
