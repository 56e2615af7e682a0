"""Commands of ``manage.py``: each parses its arguments and calls a package that does the work."""
