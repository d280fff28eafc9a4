"""Personal data: finding it, masking it, and matching what is masked."""
