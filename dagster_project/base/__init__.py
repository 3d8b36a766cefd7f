"""Settings, errors, logs, hashes: the lowest layer, which imports none of the others."""
