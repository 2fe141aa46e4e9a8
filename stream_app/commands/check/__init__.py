"""The checks, one file per subject, and how findings are printed."""
