"""The morning after the day: what people do over the interface of moderation, with keys of their own."""
