"""Finding somebody who is lost, with the help of the district."""
