"""Pictures of the marts. Altair costs a second to import: nothing here is imported before it."""
