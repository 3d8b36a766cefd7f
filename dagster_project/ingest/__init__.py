"""From landing to raw: which releases are new, and loading one."""
