"""The layer before Django: it answers the most frequent requests without Django's handler (ADR 0046).

It answers only what it is sure of, with the functions of the normal path, and passes every other request on. Every refusal
is therefore Django's own.
"""
