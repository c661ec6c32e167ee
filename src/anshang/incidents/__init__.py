"""Incidents 警情: what somebody reports, where, of what category, and what became of it step by step."""
