"""The endpoints that clients call without a person: plain Django views."""
