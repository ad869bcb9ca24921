"""The limits of this machine: hashes, a bare view, one read of Redis, one SELECT, one durable INSERT.

``./dev bench limits --help`` lists the options. docs/performance.md says how to read the results.
"""

from harness.command import main

if __name__ == "__main__":
    main("limits", __doc__)
