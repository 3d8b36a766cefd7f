"""Settings, errors, logs, hashes: the ground floor, which imports nothing above it."""
