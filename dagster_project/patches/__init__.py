"""Changes to the behaviour of libraries, one file each."""
