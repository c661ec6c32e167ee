"""Who goes where, how soon somebody can be there, and whether another policy would do better."""
