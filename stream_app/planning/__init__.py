"""Planning in ``serve``: forecasts and staffing from interval rows, computed in a separate process.

planner     requests and answers, cached until something that they depend on changes
gauges      the current 15-minute intervals, for the metrics
history     the interval rows that are learned from; schedule: the scheduled people
jobs        the work of the one process that computes (stream_app.subprocess)
answers     from results to what the views show; cache: answers in a bounded space
"""
