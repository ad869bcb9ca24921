"""Mutation tests: small defects in modules that decide about security, and the tests that must fail for each."""
