"""The workbench database: its connection, its lock and the ledger."""
