"""What the clock does each second: requeues what was cut off or is due, removes what is old."""
