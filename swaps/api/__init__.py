"""The Face Swap API: parses calls, checks keys and limits, answers in JSON."""
