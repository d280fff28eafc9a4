"""Requests to the channel: messages to a group or a member, and tasks for staff, in the form the channel is asked."""
