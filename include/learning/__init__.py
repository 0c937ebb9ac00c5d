"""The room of models: features, candidates, calibration, gates, registry and scoring.

It reads rows from the lake and labels from the warehouse, and hands predictions back to the lake.
"""
