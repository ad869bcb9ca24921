"""Clients that others wrote, unchanged: Authlib, openid-client and mod_auth_openidc, each on a port of this machine."""
