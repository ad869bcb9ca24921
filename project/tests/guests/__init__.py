"""The packages as guests in other sites: installed from wheels, added as the READMEs say, and probed."""
