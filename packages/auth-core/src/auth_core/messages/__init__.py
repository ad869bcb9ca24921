"""E-mail and text messages: the outbox, the backends, the links, and security notices."""
