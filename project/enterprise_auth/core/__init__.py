"""Configuration of the packages: logging, keys, the database, the schema."""
