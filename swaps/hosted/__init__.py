"""Swaps that a hosted provider performs: sends, asks for, collects them. One step, one task.

Whatever is cut off stands in the row with the moment at which the clock looks after it. Nothing is
sent a second time before the first one has had all its time to come back.
"""
