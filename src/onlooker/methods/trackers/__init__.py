"""Methods that follow objects through a video."""
