"""The main job and the rebuild, in the process of the command."""
