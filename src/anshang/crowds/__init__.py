"""The live crowd: sensors, observations, people present, density and level of every zone, measures and
their effect.

Counts only. There is no place here for anything about a person.
"""
