"""The words a group does not want to read, and the machine that finds them however they are spelt."""
