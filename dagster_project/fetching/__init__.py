"""From a publisher's address to the landing folder: downloading the current release of a source.

Depends on sources, settings and errors only. Nothing else depends on it: what is ingested is what
is in the landing folder, wherever it came from.
"""
