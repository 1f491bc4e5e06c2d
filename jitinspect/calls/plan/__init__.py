"""`trace-cache --plan`: verdicts from the cache keys of a script's calls, with nothing traced or run."""
