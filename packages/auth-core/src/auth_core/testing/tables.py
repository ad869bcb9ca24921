"""Tables whose changes need no event: bookkeeping and the audit trail itself.

The test kits of other packages add their own tables.
"""

#: Tables of the audit trail.
TRAIL: set[str] = set()

#: Those of them that are written with each entry: by the same statement on PostgreSQL, by one more on SQLite. That one is
#: not counted.
WITH_AN_ENTRY: set[str] = set()

#: Tables whose rows are not facts about a person. The events are recorded with the changes that the rows lead to.
BOOKKEEPING: set[str] = {
    "auth_core_guessbudget",  # charged and refunded for every guess
    "auth_core_identity",  # created on first access
    "auth_core_outboxmessage",  # a message reports a change that has its own event
    "auth_core_pendinglogin",  # attempts, evidence and choices. The outcome of a login is recorded.
    "auth_core_pendingsignup",  # there is no user yet
}

#: Columns of any table that only record activity.
TOUCHED: frozenset[str] = frozenset({"last_login", "last_seen_at", "last_used_at"})
