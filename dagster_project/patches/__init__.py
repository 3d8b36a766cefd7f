"""Changes to the behaviour of libraries, one file each; README.md lists their gains."""
