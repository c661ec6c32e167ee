"""Who helps from a shop, an office or a counter: partners and their duties, and the notices that ask them."""
