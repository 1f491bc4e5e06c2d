"""What differs between two texts of one stage, however their names are numbered.

Pure: texts → `model.differences`. `sides.compare` and `stage_texts.difference` are the entry points.
"""
