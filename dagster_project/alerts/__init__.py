"""Alerts about failures."""
