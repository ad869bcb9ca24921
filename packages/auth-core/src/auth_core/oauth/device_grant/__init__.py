"""The device grant (RFC 8628): what a device asks for, what a person decides elsewhere, and what the device then gets."""
