"""Values and rules of the lexicon: folding a text, validating words, matching."""
