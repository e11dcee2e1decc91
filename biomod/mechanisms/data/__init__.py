"""Tables with sources, kind (measured, estimate, …) and what was checked, as package data."""
