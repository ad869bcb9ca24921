"""Looking up users, parsing e-mail addresses, locking accounts, and admission to a login."""
