"""The web server of the service: granian reads requests, a fixed number of threads processes them (ADR 0031).

Start it with ``python -m enterprise_auth.web_server``. A thread never waits for a client: the event loop reads
the body of each request under a deadline, and hands the complete request to a thread.
"""
