"""One folder per paper; `onlooker.build(NAME)` builds from them and `definition.py` says what a folder declares."""
