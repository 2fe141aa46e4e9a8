"""Interval rows in Redis: what partitions have counted, added up and published by one worker, and read by everybody.

publisher   round by round: adds up, numbers, writes; progress: how far was read, and so what is final
quiet       what was heard of queues, and where nobody came
days        days in the publisher's hands, chained by the depth of their queues
published   the commands; reader: published rows as they are read
"""
