"""Where time went, for people who look rather than read: a flame graph on a page, and files for the viewers
Perfetto and speedscope.
"""
