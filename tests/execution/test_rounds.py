"""Items that depend on how others ended, on every engine and after every kind of end."""

from __future__ import annotations

import pytest

from unweave.execution import EventLog, Item, Limits, Processes, Rounds, Serial, drive, together


def item(folder, key, number, **fields):
    return Item(key, {"number": number, "folder": str(folder), **fields})


def chain(folder, name, rounds=3, width=2, seen=None):
    """Each round squares the sums of the values of the one before, modulo 1,000."""
    numbers = list(range(1, width + 1))
    for count in range(rounds):
        keys = [f"{name}-{count}-{place}" for place in range(width)]
        ends = yield [item(folder, key, n) for key, n in zip(keys, numbers, strict=True)]
        if seen is not None:
            seen.append(sorted(ends))
        values = [ends[key].result["value"] for key in keys]
        numbers = [(sum(values) + place) % 1000 for place in range(width)]
    return numbers


def expected(rounds=3, width=2):
    numbers = list(range(1, width + 1))
    for _ in range(rounds):
        numbers = [(sum(n * n for n in numbers) + place) % 1000 for place in range(width)]
    return numbers


def engine_of(name, task="square"):
    reference = f"execution.tasks:{task}"
    return Serial(reference) if name == "serial" else Processes(reference, 2)


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_rounds_depend_on_the_ends_before(name, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    seen = []
    feed = Rounds(together(chain(tmp_path, "a", seen=seen), chain(tmp_path, "b", 5, 3)))
    states = drive(feed, engine_of(name), log)
    assert feed.result == (expected(), expected(5, 3))
    assert seen == [[f"a-{count}-{place}" for place in range(2)] for count in range(3)]
    assert len(states) == 3 * 2 + 5 * 3
    assert len((tmp_path / "done").read_text().split()) == len(states)


def test_a_later_driver_comes_to_the_same_items_and_does_none_again(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")

    class Stop(Exception):
        pass

    def stop_at_third(row):
        if row["event"] == "finished" and row["key"] == "a-1-0":
            raise Stop

    log.listeners.append(stop_at_third)
    with pytest.raises(Stop):
        drive(Rounds(chain(tmp_path, "a")), engine_of("serial"), log)
    again = EventLog(log.path)
    feed = Rounds(chain(tmp_path, "a"))
    drive(feed, engine_of("serial"), again)
    assert feed.result == expected()
    assert len((tmp_path / "done").read_text().split()) == 6
    third = Rounds(chain(tmp_path, "a"))
    drive(third, engine_of("serial"), again)
    assert third.result == expected()
    assert len((tmp_path / "done").read_text().split()) == 6


def test_a_plan_is_told_of_items_that_failed_for_good(tmp_path):
    def plan():
        bad = item(tmp_path, "bad", 1, mishap="error", times=9)
        ends = yield [bad, item(tmp_path, "good", 2)]
        return {key: end.state for key, end in ends.items()}, ends["bad"].message

    feed = Rounds(plan())
    log = EventLog(tmp_path / "state.jsonl")
    drive(feed, engine_of("serial", "mishap"), log, Limits(retries=1))
    states, message = feed.result
    assert states == {"bad": "failed", "good": "finished"}
    assert "out of luck" in message


def test_rounds_without_items_are_passed_over_and_plans_without_any_end(tmp_path):
    def plan():
        assert (yield []) == {}
        ends = yield [item(tmp_path, "one", 5)]
        assert (yield []) == {}
        return ends["one"].result["value"]

    def nothing():
        return 7
        yield

    feed = Rounds(together(plan(), nothing(), together()))
    drive(feed, engine_of("serial"), EventLog(tmp_path / "state.jsonl"))
    assert feed.result == (25, 7, ())


def test_an_error_of_a_plan_ends_the_driver_and_stands_in_the_log(tmp_path):
    def plan():
        yield [item(tmp_path, "one", 5)]
        raise ValueError("no member is left")

    log = EventLog(tmp_path / "state.jsonl")
    with pytest.raises(ValueError, match="no member"):
        drive(Rounds(plan()), engine_of("serial"), log)
    assert log.read()[-1]["event"] == "ended"
    assert "no member" in log.read()[-1]["why"]


def test_plans_within_plans_go_on_at_their_own_pace(tmp_path):
    def deep(name):
        sums = yield from together(chain(tmp_path, f"{name}x", 2), chain(tmp_path, f"{name}y", 4))
        ends = yield [item(tmp_path, f"{name}-end", sum(map(sum, sums)) % 1000)]
        return ends[f"{name}-end"].result["value"]

    def top():
        first = yield from chain(tmp_path, "first", 1)
        both = yield from together(deep("a"), deep("b"))
        assert (yield from together()) == ()
        return first, both

    log = EventLog(tmp_path / "state.jsonl")
    feed = Rounds(top())
    drive(feed, engine_of("serial"), log)
    each = (sum(map(sum, (expected(2), expected(4)))) % 1000) ** 2
    assert feed.result == (expected(1), (each, each))
    keys = [row["key"] for row in log.read() if row["event"] == "finished"]
    assert len(keys) == 2 + 2 * (2 * 2 + 2 * 4 + 1)
    # The long chain does not keep the short one waiting, nor one plan the other.
    assert keys.index("ax-1-0") < keys.index("ay-2-0")
    assert keys.index("b-end") - keys.index("a-end") < 4
    again = Rounds(top())
    drive(again, engine_of("serial"), log)
    assert again.result == feed.result
