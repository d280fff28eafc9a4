"""CRM synchronisation: customer profiles, the same here and in the CRMs."""
