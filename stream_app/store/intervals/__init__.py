"""Interval rows in Redis: what partitions have counted, added up and published by one worker, and read by all.

publisher   round by round: adds up, numbers, writes; progress: how far the topic was read, and so what is final
silence     when queues were active, and the intervals without contacts
days        days that the publisher works on, chained by the depth of their queues
retiring    frees the places of names of queues without traffic
commands    the Redis commands; state: their arguments; reader: reads published rows
"""
