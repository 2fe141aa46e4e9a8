"""What contact events mean. Pure: no I/O, no clock, no logging; time is an argument."""
