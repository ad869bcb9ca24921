"""The rows of OWASP ASVS 5.0, the proof of each, and the generated page."""
