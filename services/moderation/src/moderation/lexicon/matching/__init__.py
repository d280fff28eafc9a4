"""The matcher: finds the words of a lexicon however they are spelt. Start at matcher.py."""
