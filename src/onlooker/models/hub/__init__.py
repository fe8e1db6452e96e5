"""Official models loaded through transformers, from a hub name or a local folder, only when the user asks for them."""
