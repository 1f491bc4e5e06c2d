"""Where the time of programs that ran went: recorded runs, joined with the programs' HLO."""
