"""Planners' CSV and JSON: reading rows, and escaping text that a spreadsheet would run as a formula. Pure."""
