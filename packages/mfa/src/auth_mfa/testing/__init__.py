"""For tests of sites that have second factors; never imported by running code."""
