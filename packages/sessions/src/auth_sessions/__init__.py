"""Server-side sessions that can be listed and revoked. The database row is authoritative, Redis is a cache."""
