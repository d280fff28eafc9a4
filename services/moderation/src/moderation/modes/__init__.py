"""Group modes: quiet and lockdown, set by hand or by incidents, announced in the group, over by themselves."""
