"""How many people a forecast requires, and what the scheduled ones will achieve. Pure arithmetic: no clock, no store.

    volumes ───┐                      ┌─► erlang, erlang_a   queues with waiting contacts
    schedules ─┼─► plan ─► required ──┤
    targets ───┘             │        └─► concurrency        chats: several at once
                             └──────────► deferred           e-mail, callbacks: work with a deadline
    skills ─► day                                            people with several skills, by simulation

Imports ``model``, ``errors``, the standard library and msgspec, like every layer; commands pass the rows in.
"""
