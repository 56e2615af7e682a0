"""Engines swap faces in arrays, a folder for each. They import no Django and nothing of ours."""
