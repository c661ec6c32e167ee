"""Patrols: units, their crews and duty, and where they are while they are on duty."""
