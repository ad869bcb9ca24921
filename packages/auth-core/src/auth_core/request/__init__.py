"""The client of a request, its context, cookies and user agent."""
