"""The sections of a policy, each ready to move to the slice whose rules it holds."""
