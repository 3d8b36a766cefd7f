"""Changes to the behaviour of libraries, one file each: README.md has what they save."""
