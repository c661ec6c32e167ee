"""Accounts of those who work in the district, their bodies, roles and sessions, and the keys of sensor feeds.

Holds what is needed to sign in and nothing else about a person.
"""
