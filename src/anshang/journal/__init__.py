"""What happened: append-only, chained by hashes, sealed daily. Holds decisions, never telemetry or
personal data.
"""
