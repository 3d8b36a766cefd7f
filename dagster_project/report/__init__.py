"""The static report on the live publication."""
