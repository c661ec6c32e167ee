"""Volunteer teams 义警: who joins and how, shifts to sign up for and swap, true hours, certificates."""
