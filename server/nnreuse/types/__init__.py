"""What names mean: the facts of torch, imports across files, and module classes."""
