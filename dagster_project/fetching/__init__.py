"""Downloads the current release of a source from its publisher to the landing folder.

Ingest does not depend on it: it loads whatever is in the landing folder.
"""
