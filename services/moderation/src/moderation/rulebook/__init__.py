"""The rulebook: policies, groups and lexicon of one moment, taken into use together."""
