"""The panes of an exploration, and the table of origins that their lines share."""
