"""Turns are taken one at a time, in the order in which they were asked for."""

from __future__ import annotations

import threading
import time

from anshang.foundation.turns import Turns


def test_who_asks_first_is_first_and_nobody_is_in_between() -> None:
    turns, order, inside = Turns(), list[int](), [0]
    most = [0]

    def take(number: int) -> None:
        with turns:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            order.append(number)
            time.sleep(0.002)
            inside[0] -= 1

    threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
    with turns:
        for thread in threads:
            thread.start()
            while thread.is_alive() and len(turns._gates) <= threads.index(thread):
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(12))
    assert most == [1]


def test_a_fault_gives_the_turn_on() -> None:
    turns = Turns()
    try:
        with turns:
            raise ValueError
    except ValueError:
        pass
    with turns:
        assert turns._held
    assert not turns._held
