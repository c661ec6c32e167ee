"""Calculations free of the domain: numbers in, numbers out. No clock, no database, no web."""
