"""Runs the processes of a site: web server, worker, courier, clock; ``up`` starts all of them."""
