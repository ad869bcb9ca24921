"""What the tables are that a test does not count as state: bookkeeping, and the trail itself.

A sibling's own kit adds its tables; this package names none of them.
"""

#: Tables in which the trail is kept.
TRAIL: set[str] = set()

#: Tables whose rows are means, not facts about anybody. The events about what they lead
#: to are recorded where it happens.
BOOKKEEPING: set[str] = {
    "auth_core_guessbudget",  # charged and refunded at every guess
    "auth_core_identity",  # made when somebody first asks for it
    "auth_core_outboxmessage",  # what is to be sent tells of a change, and is none
    "auth_core_pendinglogin",  # attempts, evidence and choices; started, failed, denied, succeeded are recorded
    "auth_core_pendingsignup",  # nobody exists yet
}

#: Columns that anybody's table may have and that say only that somebody was here.
TOUCHED: frozenset[str] = frozenset({"last_login", "last_seen_at", "last_used_at"})
