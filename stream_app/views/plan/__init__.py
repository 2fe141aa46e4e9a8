"""Forecast and staffing for planners, as the HTTP interface sends them.

routes ──► planner ◄── implemented elsewhere; this layer knows nothing of forecasting or staffing models
   └─────► wire        the answers as types
"""
