"""Models whose weights the user trained with the methods of this package."""
