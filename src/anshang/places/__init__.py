"""A district with its zones, gates, walkways, premises and posts, in local metres. Knows no crowd."""
