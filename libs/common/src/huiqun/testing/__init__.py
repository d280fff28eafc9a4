"""What the tests of every service stand on: the rig, the clock, the builders of events."""
