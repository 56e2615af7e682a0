"""The hosted provider: submits swaps, asks for outcomes, collects results; each step is a task.

Whatever is cut off stands in the row with the moment at which the clock looks after it. Nothing is
sent a second time before the first one has had all its time to come back.
"""
