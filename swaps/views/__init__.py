"""Pages and their fragments: each view finds, asks one thing, renders."""
