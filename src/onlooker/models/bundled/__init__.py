"""Models whose weights come inside installed packages: they work with the network unplugged."""
