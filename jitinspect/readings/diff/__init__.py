"""What differs between two texts of one stage, whatever their names are numbered.

Pure: programs → rows of text. `compare.compared(before, after)` is the door.
"""
