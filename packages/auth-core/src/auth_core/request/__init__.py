"""The client, the request's context, its cookies and its user agent."""
