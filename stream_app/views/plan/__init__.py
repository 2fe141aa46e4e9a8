"""What planners look at: forecast and staffing, as the HTTP interface says them.

routes ──► planner ◄── whoever computes; this layer knows neither a model of the future nor of people
   └─────► wire        the answers as types
"""
