"""What ``serve`` plans: forecasts and staffing of interval rows, computed in a process beside it.

planner   questions and answers, kept while nothing that they rest on changes
fresh     the running quarters of an hour, for the metrics
rows      which interval rows are learned from; roster: who is there
process   the one process that computes; work: what it runs
answers   from what was computed to what the views show; keep: answers in a bounded space
"""
