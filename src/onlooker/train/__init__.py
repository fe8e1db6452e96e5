"""Training: a task joins a network, its losses and its data; one loop trains them all."""
