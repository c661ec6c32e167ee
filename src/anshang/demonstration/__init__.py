"""The demonstration: an invented district (or a real one) replaying real, recorded, scaled pedestrian counts.

Everything it shows enters through the same doors as in a real installation: place import, accounts, feed key,
ingest API.
"""
