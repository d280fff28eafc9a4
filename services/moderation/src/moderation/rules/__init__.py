"""The rules about what a message says, and what a finding of a rule is."""
