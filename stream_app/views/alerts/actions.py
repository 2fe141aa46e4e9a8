"""What to do first, in one line, for the texts of alerts; the runbook has the rest."""

from typing import Final

TO_DO: Final = {
    "service_level": "Move agents in, postpone breaks, offer callbacks.",
    "abandonment": "Long waits: move agents in and offer callbacks. Short ones: call the queue yourself and listen.",
    "first_response": "See whether a few contacts were forgotten or all wait longer; give the channel agents of its own.",
    "first_response_business": "See whether a few messages were forgotten or all wait; give the channel agents of its own.",
    "handle_time": "Ask two agents what is slow, and report the application; don't press anybody to hurry.",
    "oldest_waiting": "One waiting: have it answered. Many: move agents in and offer callbacks.",
    "oldest_awaiting_reply": "Answer the oldest conversation, or close it if nothing is owed; if many wait, move agents in.",
    "oldest_unanswered_by_bot": "Write to the bot yourself: if it is silent, hand its conversations to people.",
    "backlog": "Compare the time to clear with the rest of the day; move agents in if it is longer.",
    "csat": "Read ten of the bad answers before anything else.",
    "nps": "Read ten of the bad answers before anything else.",
    "ces": "Ask what customers had to do twice: repeat themselves, call again, change channels.",
    "compliance": "Listen to the contact, put it right with the customer, and notify whoever answers for the rules.",
    "compliance_automatic": "Listen to three of them: either agents left something out, or the machine misses a phrase.",
    "at_risk": "Open the list of contacts at risk; join the worst, or call them back first.",
}
"""By KPI."""
CLOSED: Final = (
    "Have somebody answer or call them back, and stop the queue from accepting contacts while it is closed."
)
STOPPED: Final = "Call the queue yourself: if nobody answers, it is the lines; otherwise the platform's export has stopped."
SURGED: Final = "Find the cause, announce it in front of the queue, and move agents in before waits grow."
TRADED: Final = "Listen to a few short contacts: were they finished, or cut short?"
PEOPLE: Final = {
    "nobody_there": "Have somebody sign in or come back from a break; otherwise route the queue elsewhere.",
    "agents_too_long": "Ask what keeps them before anything else; if nothing is wrong, the limit is.",
    "queue_understaffed": "Move agents in, postpone breaks and meetings, and ask who is missing.",
}
"""By what is wrong with who is there."""
PIPELINE: Final = {
    "data_age": "Run `stream-app check` on a worker's machine, and start what is down.",
    "data_missing": "Look at serve in Prometheus's list of targets, and start it.",
    "data_untrusted": "Read the reason at /readyz of serve.",
    "clocks": "Synchronise that machine's clock by NTP.",
    "partitions_held": "Stop the workers, run `stream-app repartition`, and start them.",
    "dead_letters": "Look at the newest dead letters: which producer, which reason?",
    "late_events": "After an outage, nothing; otherwise find the platform that is late, or the clock that is wrong.",
    "gaps": "See in the topic's settings whether it is compacted, or its retention is too short.",
    "ids_dropped": "Give the topic more partitions: each remembers ten million ids.",
    "names_full": "Compare the names with your queues; if they are real, raise the cap.",
    "interval_rows": "Read `not_published` in the log of the workers.",
    "interval_topic": "Run `stream-app check`: does the topic exist, and may workers write to it?",
    "ledger": "Read the end of the log of `stream-app ledger`: the disk, the bucket, its rights?",
    "store_memory": "Give Redis more memory (maxmemory) before it is full.",
    "workers": "Read the end of the worker's log, and start it.",
    "rollbacks": "Read Redis's log: a failover, a restart, a restore?",
    "watchdog": "Nothing, as long as it fires.",
}
"""By part of the pipeline."""
