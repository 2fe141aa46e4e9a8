"""Numbers of journeys, bots, work, opinions and customers, written from "From the ledger" of docs/semantics.md alone."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from .records import WORTH
from .stays import DAY, Found, journeys, of_visit, order, person, stays

if TYPE_CHECKING:
    from .history import History


def journey_sums(
    history: History,
    start: int,
    end: int,
    known: int,
    *,
    repeat_ms: int = 7 * DAY,
    per_channel: bool = False,
) -> Found:
    """What each handled journey of a window counts."""
    found: Found = []
    for every in journeys(history, per_channel=per_channel).values():
        for n, journey in enumerate(every):
            at, last = journey.counted_at, journey.counts_with
            if at is None or last is None or not start <= at < end:
                continue
            followed = any(other.began <= at + repeat_ms for other in every[n + 1 :])
            before = [v.life.handled_at for other in every[:n] for v in other.stays]
            first = not any(done is not None and journey.began <= done + repeat_ms for done in before)
            settled, has_customer = known > at + repeat_ms, journey.customer is not None
            resolved = journey.concludes and not followed
            where = of_visit(last)
            where["handled_by"] = "both" if any(v.was_bots for v in journey.stays) else "people"
            counted = {
                "handled": 1,
                "transfers": journey.passed_on,
                "bounced": journey.passed_on >= 2,
                "replied": journey.replies >= 1,
                "one_touch": journey.replies == 1 and journey.concludes,
                "of_customers": has_customer,
                "repeated": has_customer and followed,
                "first_contacts": has_customer and first,
                "resolved": has_customer and first and resolved,
                "settled_of_customers": settled and has_customer,
                "settled_repeated": settled and has_customer and followed,
                "settled_first_contacts": settled and has_customer and first,
                "settled_resolved": settled and has_customer and first and resolved,
            }
            found.append((where, counted))
    return found


def bot_sums(history: History, start: int, end: int, known: int, *, return_ms: int = DAY) -> Found:
    """What each inbound visit that began in a window counts."""
    following: dict[int, int] = {}
    latest: dict[str, Any] = {}
    for visit in stays(history):
        if person(visit) in latest:
            following[id(latest[person(visit)])] = visit.started
        latest[person(visit)] = visit
    found: Found = []
    for visit in history.visits:
        if visit.outbound or not start <= visit.started < end:
            continue
        contained_at, bots = visit.life.contained_at, visit.was_bots
        again = following.get(id(visit))
        lasts = contained_at is not None and (again is None or again > contained_at + return_ms)
        ended = visit.handed_off or visit.life.over
        settled = ended if contained_at is None else known > contained_at + return_ms
        counted = {
            "inbound": 1,
            "involved": bots,
            "handed_over": visit.handed_off,
            "resolved": bots and lasts,
            "settled_involved": bots and settled,
            "settled_resolved": bots and settled and lasts,
        }
        found.append((of_visit(visit), counted))
    return found


def work_sums(history: History, start: int, end: int) -> Found:
    """The handled inbound visits of a window, and the work on them."""
    return [
        (of_visit(v), {"handled": 1, "work_ms": v.life.work})
        for v in history.visits
        if not v.outbound and v.life.handled_at is not None and start <= v.life.handled_at < end
    ]


def opinion_sums(history: History, start: int, end: int, known: int) -> Found:
    """Satisfaction in three classes, the parts of the NPS, and whether it was resolved at the first contact."""
    last = {v.contact: v for v in sorted(history.visits, key=order) if not v.outbound}
    found: Found = []
    for opinion in history.opinions:
        if start <= opinion.at < end:
            n, sign = opinion.counted, opinion.sign
            csat, nps = n.get("csat_answers", 0), n.get("nps_answers", 0)
            satisfied, dissatisfied = n.get("csat_satisfied", 0), n.get("csat_dissatisfied", 0)
            promoters, detractors = n.get("nps_promoters", 0), n.get("nps_detractors", 0)
            settled = known > opinion.at + 2 * DAY
            fcr = {
                name: sign * n.get(name, 0)
                for name in ("fcr_sent", "fcr_returned", "fcr_answers", "fcr_resolved")
            }
            counted = {
                **fcr,
                **{f"settled_{name}": settled * amount for name, amount in fcr.items()},
                "csat_answers": sign * csat,
                "csat_satisfied": sign * satisfied,
                "csat_neutral": sign * (csat - satisfied - dissatisfied),
                "csat_dissatisfied": sign * dissatisfied,
                "nps_answers": sign * nps,
                "nps_promoters": sign * promoters,
                "nps_passives": sign * (nps - promoters - detractors),
                "nps_detractors": sign * detractors,
            }
            of = of_visit(last[opinion.contact]) if opinion.contact in last else {}
            queue, channel = opinion.place
            kept = {name: of.get(name) for name in ("contact_reason", "handled_by")}
            found.append(({"queue": queue, "channel": channel, **kept}, counted))
    return found


_KINDS = {
    "new": {"new", "new_sale"},
    "upsell": {"upsell", "upsold", "cross_sell"},
    "saved": {"saved", "save", "saved_sale", "retention"},
    "upgrade": {"upgrade", "upgraded"},
}
_CLASSES = (*_KINDS, "other", "unstated")


def sale_sums(history: History, start: int, end: int) -> Found:
    """The sales of a window by kind, and the contacts handled in it."""
    nothing = {
        f"{of}{kind}": 0 for of in ("sales", "amount") for kind in ("", *(f"_{one}" for one in _CLASSES))
    }
    last = {v.contact: v for v in sorted(history.visits, key=order) if not v.outbound}
    found: Found = [
        (where, {**nothing, "handled": counted["handled"]})
        for where, counted in work_sums(history, start, end)
    ]
    for sale in history.sales:
        if start <= sale.at < end:
            names = (kind for kind, known in _KINDS.items() if sale.kind.lower() in known)
            kind = next(names, "other") if sale.kind else "unstated"
            of = of_visit(last[sale.contact]) if sale.contact in last else {}
            where = {name: of.get(name) for name in ("contact_reason", "handled_by")}
            where |= {"queue": sale.place[0], "channel": sale.place[1], "currency": sale.currency}
            where["sale_kind"] = sale.kind or None
            counted = {"sales": 1, f"sales_{kind}": 1, "amount": sale.amount, f"amount_{kind}": sale.amount}
            found.append((where, {"handled": 0, **nothing, **counted}))
    return found


def criterion_sums(history: History, start: int, end: int) -> Found:
    """What each criterion of the reviews of a window scored."""
    last = {v.contact: v for v in sorted(history.visits, key=order) if not v.outbound}
    found: Found = []
    for one in history.criteria:
        if start <= one.at < end:
            of = of_visit(last[one.contact]) if one.contact in last else {}
            where = {name: of.get(name) for name in ("contact_reason", "handled_by")}
            where |= {"queue": one.place[0], "channel": one.place[1], "criterion": one.criterion}
            people, machines = int(not one.automatic), int(one.automatic)
            counted = {
                "scored": people,
                "scored_total": people * one.score,
                "auto_scored": machines,
                "auto_scored_total": machines * one.score,
            }
            found.append((where, counted))
    return found


def training_sums(history: History, start: int, end: int) -> Found:
    """Which courses were due in a window, which of these were completed in time, and which are overdue at its end."""
    assigned: dict[tuple[str, str, int], Any] = {}
    done: dict[tuple[str, str], list[int]] = {}
    for event in sorted(history.trainings, key=lambda event: event.at):
        course = event.said["agent"], event.said["course"]
        if event.type == "training.completed":
            done.setdefault(course, []).append(event.at)
        else:
            assigned.setdefault((*course, event.said["due_at"]), event)
    found: Found = []
    for (agent, what, due), event in assigned.items():
        if due < end:
            when = [at for at in done.get((agent, what), ()) if event.at <= at < end]
            counted = {
                "due": due >= start,
                "in_time": due >= start and any(at <= due for at in when),
                "overdue": not when,
            }
            where = {name: event.said.get(name) for name in ("agent", "team", "site", "course")}
            found.append((where, counted))
    return found


def customer_sums(history: History, start: int, end: int) -> Found:
    """Who was there, who stayed, and what they are worth."""
    found: Found = []
    every = sorted(history.customers, key=lambda event: event.at)
    for customer in {event.said["customer"] for event in every}:
        mine = [event for event in every if event.said["customer"] == customer]
        moves = [event for event in mine if event.type != "customer.valued"]
        at_start = _there(moves, start)
        at_end = _there(moves, end)
        values = [event.said for event in mine if event.type == "customer.valued" and event.at < end]
        value = _value(values[-1]) if values and at_end else None
        counted = {
            "at_start": at_start,
            "at_end": at_end,
            "kept": at_start and at_end,
            "lost": at_start and not at_end,
            "valued": value is not None,
            "value": value or 0,
        }
        if at_start or at_end:
            found.append(({"customer": customer}, counted))
    return found


def churn_sums(
    history: History, start: int, end: int, known: int, *, repeat_ms: int = 7 * DAY, per_channel: bool = False
) -> Found:
    """Who left, by whether all of their journeys in the window before, which is as long, were resolved at first contact."""
    before = journey_sums(
        history, start - (end - start), start, known, repeat_ms=repeat_ms, per_channel=per_channel
    )
    all_resolved: dict[str, bool] = {}
    for where, counted in before:
        if counted["of_customers"]:
            customer = where["customer"] or ""
            all_resolved[customer] = all_resolved.get(customer, True) and counted["resolved"]
    found: Found = []
    for where, counted in customer_sums(history, start, end):
        if counted["at_start"]:
            group = {True: "resolved", False: "unresolved", None: "silent"}[
                all_resolved.get(where["customer"] or "")
            ]
            nothing = {
                f"{name}{lost}": 0 for name in ("resolved", "unresolved", "silent") for lost in ("", "_lost")
            }
            found.append((where, {**nothing, group: 1, f"{group}_lost": counted["lost"]}))
    return found


def _there(moves: list[Any], moment: int) -> bool:
    before = [event for event in moves if event.at < moment]
    return bool(before) and before[-1].type == "customer.joined"


def _value(said: dict[str, Any]) -> int | None:
    parts = [said.get(name) for name in WORTH]
    if any(part is None or not 0 <= part <= most for part, most in zip(parts, WORTH.values(), strict=True)):
        return None
    price, times, years = map(float, parts)  # type: ignore[arg-type]
    return floor(10_000 * (price * times * years) + 0.5)
