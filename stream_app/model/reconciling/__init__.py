"""Our contacts against a table of the platform's: which differences there are, and which rule makes each of them none."""
