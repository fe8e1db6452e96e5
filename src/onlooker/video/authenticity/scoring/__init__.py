"""Scores a judge of authenticity on pictures whose truth is known: `onlooker evaluate forgery`."""
