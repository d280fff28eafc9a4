"""Running the parts of a process and stopping them cleanly; settings, clock, ids."""
