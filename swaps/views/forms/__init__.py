"""Forms of the pages: check what people send."""
