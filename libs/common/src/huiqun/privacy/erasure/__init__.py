"""What people ask of their data: to have it erased, and to see it. Every service answers both."""
