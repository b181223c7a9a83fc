"""Your own images: a folder, arrays in files, a Hugging Face dataset, or what Python gives."""
