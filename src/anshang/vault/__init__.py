"""Personal data of members of the public, and nothing else: each record under a key of its own, which is
destroyed when its time is over. The journal knows that a record was kept, read or erased, never what it says.
"""
