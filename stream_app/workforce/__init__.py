"""How many people a forecast needs, and what those who are scheduled will reach. Pure arithmetic: no clock, no store.

    volumes ───┐                      ┌─► erlang, erlang_a   queues in which somebody waits
    schedules ─┼─► plan ─► required ──┤
    targets ───┘             │        └─► concurrency        chats: several at once
                             └──────────► deferred           e-mail, callbacks: work with a deadline
    skills ─► day                                            people with several skills, by simulation

Imports ``model``, ``errors``, the standard library and msgspec, like every layer; the command hands the rows over.
"""
