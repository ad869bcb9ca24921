"""The harness of ``./dev bench login | session | check | mixed | limits``: servers, load, measurement and report."""
