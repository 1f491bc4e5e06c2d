"""Reports as pages with a script: the explorer's, and those of whole programs.

The scripts and style sheets here are built from `pages/` at the top of the repository (`npm run build`); the
licences of the packages in them are in `LICENSES.txt`.
"""
