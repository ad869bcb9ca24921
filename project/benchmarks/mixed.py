"""The response times of signed-in people while others sign in.

``./dev bench mixed --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("mixed", __doc__)
