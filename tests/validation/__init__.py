"""The dose engine against a second calculator, written from the protocol alone."""
