# ruff: noqa: E501 - texts as they are sent
"""What the message of each alert says: summary and description of a firing case, as Prometheus writes them."""

TEXTS: dict[tuple[str, str], tuple[str, str]] = {
    ("ServiceLevelOffTarget", "fires 1"): (
        "sales (voice): service level 60 % in the last 30 minutes, target 80 %, 100 contacts",
        "Since 00:00 UTC. The alert begins more than 10 points below the target.",
    ),
    ("ServiceLevelBurns", "fires 1"): (
        "sales (voice): service level 20 % in the last 30 minutes and 10 % in the last 5 minutes, target 80 %, 100 contacts",
        "Since 00:00 UTC. If it goes on like this, the day's target can't be met.",
    ),
    ("ServiceLevelBurnsSlowly", "fires 1"): (
        "sales (voice): service level 60 % today and 65 % in the last 30 minutes, target 80 %, 100 contacts",
        "Since 00:00 UTC. It was missed for much of the day and still is: the day will miss the target unless that changes.",
    ),
    ("AbandonmentOffTarget", "fires 1"): (
        "sales (voice): abandonment rate 15 % in the last 30 minutes, target 5 %, 100 contacts",
        "Since 00:00 UTC. The alert begins more than 5 points above the target.",
    ),
    ("AbandonmentBurns", "fires 1"): (
        "sales (voice): abandonment rate 50 % in the last 30 minutes and 60 % in the last 5 minutes, target 5 %, 100 contacts",
        "Since 00:00 UTC. If it goes on like this, the day's target can't be met.",
    ),
    ("FirstResponseOffTarget", "fires 1"): (
        "sales (voice): first response time 0:45 in the last 30 minutes, target 0:20, 100 contacts",
        "Since 00:00 UTC. Mean time from the customer's request to the first human response.",
    ),
    ("FirstResponseBusinessOffTarget", "fires 1"): (
        "sales (email): first response time, business hours 2h 0m 0s in the last 30 minutes, target 1h 0m 0s, 100 contacts",
        "Since 00:00 UTC. Mean first response time in business hours: time while the queue is closed does not count.",
    ),
    ("OldestAwaitingReplyOffTarget", "fires 1"): (
        "sales (email): oldest awaiting reply 5h 0m 0s, target 4h 0m 0s, 9 awaiting a reply",
        "Since 00:00 UTC. How long the customer who has waited longest has been waiting for a person's message, by the promised clock.",
    ),
    ("OldestUnansweredByBotOffTarget", "fires 1"): (
        "sales (chat): oldest unanswered by a bot 5:00, target 1:00, 4 with a bot",
        "Since 00:00 UTC. How long the customer who has waited longest has been waiting for a bot's message.",
    ),
    ("BacklogOffTarget", "fires 1"): (
        "sales (voice): 15 waiting, target 10, longest wait 3:20",
        "Since 00:00 UTC. Contacts waiting in the queue now.",
    ),
    ("ContactsInClosedQueue", "fires 1"): (
        "sales (voice): 7 waiting in a closed queue, longest wait 3:20",
        "Since 00:00 UTC. By its business hours, nobody works it now.",
    ),
    ("ContactLeftInClosedQueue", "fires 1"): (
        "sales (voice): 1 waiting in a closed queue, longest wait 3:20",
        "Since 00:00 UTC. By its business hours, nobody works it now.",
    ),
    ("OldestWaitingOffTarget", "fires 1"): (
        "sales (voice): longest wait 3:00, target 2:00, 7 waiting",
        "Since 00:00 UTC. How long the longest-waiting contact has been in the queue.",
    ),
    ("OldestWaitingOffTarget", "fires 2"): (
        "sales (voice): longest wait 1:40, target 2:00, 7 waiting (recovering)",
        "Since 00:00 UTC. How long the longest-waiting contact has been in the queue.",
    ),
    ("OldestWaitingOffTarget", "fires 4"): (
        "sales (voice): longest wait 3:00, target 2:00, 7 waiting",
        "Since 00:00 UTC. How long the longest-waiting contact has been in the queue. The numbers have stopped: this is the last that is known.",
    ),
    ("HandleTimeOffTarget", "fires 1"): (
        "sales (voice): average handle time 9:00 in the last 30 minutes, target 6:00, 100 contacts",
        "Since 00:00 UTC. Mean talk + hold + wrap-up time of handled contacts.",
    ),
    ("HandleTimeAtCsatsCost", "fires 1"): (
        "sales (voice): average handle time 5:00 today, better than usual, while customer satisfaction fell to 75 %",
        "Just now. Compared with this hour on the same weekday in the last 4 weeks, customer satisfaction is more than 5 points lower. Short calls are not good calls: rushed agents lower it while customers call again.",
    ),
    ("ContactsStopped", "fires 1"): (
        "sales (voice): 0 contacts in the last 30 minutes, 100 % fewer than usual at this hour of the week",
        "Just now. The numbers are fresh, so the missing contacts were never reported.",
    ),
    ("ContactsSurge", "fires 1"): (
        "sales (voice): 132 contacts in the last 30 minutes, 2.2 times the usual at this hour of the week",
        "Just now. Whether that is too many depends on who is there: compare the forecast and the schedule.",
    ),
    ("CsatOffTarget", "fires 1"): (
        "sales (voice): customer satisfaction 60 % today, target 80 %, 20 answers",
        "Since 00:00 UTC. The alert begins more than 10 points below the target.",
    ),
    ("NpsOffTarget", "fires 1"): (
        "sales (voice): net promoter score -4 today, target 50, 60 answers",
        "Since 00:00 UTC. The alert begins more than 50 points below the target.",
    ),
    ("CesOffTarget", "fires 1"): (
        "sales (voice): customer effort 4.2 today, target 3.0, 60 answers",
        "Since 00:00 UTC. The alert begins more than 1 above the target.",
    ),
    ("ComplianceBreached", "fires 1"): (
        "sales (voice): 1 of 12 reviews today found a breach of the rules",
        "Since 00:00 UTC. One breach may matter more than a hundred good calls.",
    ),
    ("ComplianceAutomaticOffTarget", "fires 1"): (
        "sales (voice): automatic compliance 88 % today, target 95 %, 200 reviews",
        "Since 00:00 UTC. The alert begins more than 5 points below the target.",
    ),
    ("AtRiskMany", "fires 1"): (
        "sales (voice): 5 contacts at risk, 7 waiting",
        "Since 00:00 UTC. Open contacts whose predicted satisfaction is below the queue's limit.",
    ),
    ("NobodyThere", "fires 1"): (
        "sales (voice): 3 waiting and nobody there, longest wait 3:20",
        "Since 00:00 UTC. None of the queue's agents is available, on contact or in wrap-up.",
    ),
    ("AgentsTooLong", "fires 1"): (
        "sales: agents who do something for longer than its limit: 2",
        "Since 00:00 UTC. Who they are is on the page People. An agent who serves several queues is counted in each.",
    ),
    ("QueueUnderstaffed", "fires 1"): (
        "sales: 2 fewer agents there than the plan requires at work",
        "Since 00:00 UTC. Those who are available, on contact or in wrap-up count, also while they serve another queue.",
    ),
    ("DataStale", "fires 1"): (
        "The live numbers have stopped: they may be 3:00 old",
        "Since 00:00 UTC. Beyond 60 s, alerts on queues neither begin nor end.",
    ),
    ("DataMissing", "fires 1"): (
        "The age of the live numbers is unknown",
        "Since 00:00 UTC. There are no numbers at all: alerts on queues neither begin nor end.",
    ),
    ("DataUntrusted", "fires 1"): (
        "The live numbers can't be trusted",
        "Since 00:00 UTC. They are fresh, yet serve is not ready: /readyz gives the reason.",
    ),
    ("ClocksDiffer", "fires 1"): (
        "The clock of serve is 2 s off Redis's",
        "Since 00:00 UTC. Live numbers use Redis's clock only; events of that machine may have wrong times.",
    ),
    ("PartitionsHeld", "fires 1"): (
        "4 partitions of the topic are not being read",
        "Since 00:00 UTC. The topic has new partitions, which are held until open contacts have been moved there.",
    ),
    ("DeadLetters", "fires 1"): (
        "5 % of the records in the last half hour can't be read",
        "Since 00:00 UTC. They were not events and are kept as dead letters; what was in them is missing from the numbers.",
    ),
    ("LateEvents", "fires 1"): (
        "50 % of the events in the last ten minutes arrived late",
        "Since 00:00 UTC. Live windows may have missed them.",
    ),
    ("RecordsMissing", "fires 1"): (
        "8 records are missing from the topic",
        "Since 00:30 UTC. In 15 minutes, so many offsets had no record and no transaction explains it: they were removed unread.",
    ),
    ("LedgerBehind", "fires 1"): (
        "The ledger is 20:00 behind",
        "Since 00:10 UTC. Counting goes on. Contacts wait in Redis; once an outbox is full, its oldest are lost to the ledger.",
    ),
    ("LedgerHole", "fires 1"): (
        "The ledger has holes: 1 more than an hour ago",
        "Since 01:10 UTC. Contacts of the last hour are missing in it; what is asked of it says so. Every count is right.",
    ),
    ("IdsDroppedEarly", "fires 1"): (
        "5k event ids were forgotten early",
        "Since 00:30 UTC. A partition has more than are remembered: an event that is sent again within two days may count twice.",
    ),
    ("NamesFull", "fires 1"): (
        "The registry of queue names is full",
        "Since 00:00 UTC. New names are counted as 'other'.",
    ),
    ("IntervalRowsNotPublished", "fires 1"): (
        "Interval rows were last published 39:59 ago",
        "Since 00:10 UTC. Live numbers continue; planners and the topic get nothing new.",
    ),
    ("StoreSteppedBack", "fires 1"): (
        "Redis went back to an older state",
        "Since 00:30 UTC. It did so 1 times in 15 minutes. Workers count again from there, so nothing is lost.",
    ),
    ("IntervalTopicFails", "fires 1"): (
        "Interval rows can't be written to their topic",
        "Since 00:00 UTC. They are stored, and the topic catches up once it accepts them; until then its readers get nothing new.",
    ),
    ("RedisMemoryLow", "fires 1"): (
        "Redis has used 90 % of its memory",
        "Since 00:00 UTC. Once it is full, nothing is counted until it is given more; nothing is lost.",
    ),
    ("WorkersDown", "fires 1"): (
        "Workers are down: 1 fewer than within the last hour",
        "Since 00:20 UTC. The others take over their partitions. It ends by itself an hour after workers were stopped on purpose.",
    ),
    ("WorkersRestarting", "fires 1"): (
        "A worker restarted 3 times in half an hour",
        "Since 00:26 UTC. While it restarts, others take over its partitions, and the numbers are a few seconds late.",
    ),
    ("Watchdog", "fires 1"): (
        "Alerts are being evaluated",
        "Since 00:00 UTC. It always fires. Send it to a service that notifies you when it no longer hears it.",
    ),
}
"""(alert, case) → (summary, description)."""
