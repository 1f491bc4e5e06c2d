"""`trace-cache --plan`: the verdicts of a script's calls from their keys alone, with nothing traced or run."""
