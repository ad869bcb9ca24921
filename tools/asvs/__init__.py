"""The rows of OWASP ASVS 5.0: what proves each, and the page that says so."""
