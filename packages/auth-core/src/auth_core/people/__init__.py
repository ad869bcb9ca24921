"""Users: lookup, e-mail addresses, locked accounts, and admission to a login."""
