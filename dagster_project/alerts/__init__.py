"""Messages to people about failures."""
