"""`trace-cache --plan`: verdicts from the keys of a script's calls alone, with nothing traced or run."""
