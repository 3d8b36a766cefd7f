"""Publication: the audited candidate replaces the published file as a whole."""
