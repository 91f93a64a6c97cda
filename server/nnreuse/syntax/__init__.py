"""Source text, spans, units and edits. Knows nothing of torch."""
