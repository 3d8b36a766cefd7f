"""Publication: the audited candidate takes the place of the published file, whole."""
