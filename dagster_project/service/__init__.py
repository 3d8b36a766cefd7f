"""The warehouse as a service of the machine: three processes, and their systemd units."""
