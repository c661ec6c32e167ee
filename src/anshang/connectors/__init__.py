"""Ways in from other systems, one file each; reached from the application and the worker only."""
