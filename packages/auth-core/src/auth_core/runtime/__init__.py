"""Redis, HTTP, prepared statements, worker threads, and how the service works without one of them."""
