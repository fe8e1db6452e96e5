"""Runs a query and turns its rows into an answer, one module a family of queries."""
