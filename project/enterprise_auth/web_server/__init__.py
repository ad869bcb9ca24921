"""The web server of the composed service: granian reads, a bounded set of threads works (decision record 0031).

``python -m enterprise_auth.web_server`` starts it. A thread never waits for a client: the event
loop reads the body of each request under a deadline, and a thread is given the complete request.
"""
