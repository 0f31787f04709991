"""The pruners of a search: after which epochs a trial stops, and which of the paused ones goes on."""
