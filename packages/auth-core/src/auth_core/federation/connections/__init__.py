"""Connections: whom an account at a provider signs in, and how people connect and disconnect one."""
