"""What touches several rooms at the duty desk: for now the check of an installation before its first
shift.
"""
