"""Redis, HTTP, prepared statements, worker threads, and what happens when one of them fails."""
