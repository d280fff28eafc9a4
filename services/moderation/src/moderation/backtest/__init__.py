"""Backtests: what a version of a policy would have made of messages that were judged under others."""
