"""Examples: texts with what people called them, for training and for tuning policies."""
