"""The edge to HTTP that every room shares: who is calling, what a refusal looks like, the live stream."""
