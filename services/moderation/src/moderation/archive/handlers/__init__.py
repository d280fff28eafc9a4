"""What is done with the archive: hold, let expire, look up, sample, review, export."""
