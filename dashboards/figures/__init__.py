"""Figures: pure functions from rows to a Plotly figure (or an SVG), tested without a browser."""
