"""What configures the packages: logging, keys, the database, the schema."""
