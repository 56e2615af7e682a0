"""Trains the small network that tells, for each pixel of a face, what lies in front of it."""
