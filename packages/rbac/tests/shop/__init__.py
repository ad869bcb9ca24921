"""What a site that uses roles has of its own."""
