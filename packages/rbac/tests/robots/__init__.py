"""A site's own services, which hold roles. See `robots.apps`."""
