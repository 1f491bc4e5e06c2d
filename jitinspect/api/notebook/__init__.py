"""`%load_ext jitinspect`: the magics of IPython and Jupyter. Cells and lines enter, readings and what a cell
compiled leave, as objects that show themselves.
"""
