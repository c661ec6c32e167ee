"""Drills 演练: a scenario plays on a copy of the district while the team works on the real screens."""
