"""The report: a static site, written from the published file alone."""
