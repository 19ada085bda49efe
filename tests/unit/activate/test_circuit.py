from onefold.activate.circuit import FAILURES, LONGEST_PAUSE, SECOND, Circuit


def broken(failures: int = FAILURES, now: int = 0) -> Circuit:
    circuit = Circuit()
    for _ in range(failures):
        circuit.failed(now, jitter=1.0)
    return circuit


def test_some_failures_change_nothing() -> None:
    assert broken(FAILURES - 1).room(0, 8) == 8


def test_failures_in_a_row_pause_it_then_one_is_tried() -> None:
    circuit = broken()
    assert [circuit.room(at, 8) for at in (0, SECOND - 1, SECOND)] == [0, 0, 1]


def test_failures_of_sends_begun_before_do_not_make_the_pause_longer() -> None:
    assert broken(failures=50).until == SECOND


def test_pauses_grow_to_a_minute_while_nothing_works() -> None:
    circuit, now, pauses = broken(), 0, []
    for _ in range(8):
        pauses.append(circuit.until - now)
        now = circuit.until
        circuit.failed(now, jitter=1.0)
    assert pauses[:3] == [SECOND, 2 * SECOND, 4 * SECOND]
    assert pauses[-1] == LONGEST_PAUSE


def test_one_success_ends_it() -> None:
    circuit = broken()
    circuit.succeeded()
    assert circuit.room(SECOND, 8) == 8


def test_a_pause_that_was_asked_for_is_not_ended_by_a_success() -> None:
    circuit = Circuit()
    circuit.pause(0, 60 * SECOND)
    circuit.succeeded()
    assert circuit.room(59 * SECOND, 8) == 0
    assert circuit.room(60 * SECOND, 8) == 8


def test_a_clock_set_back_ends_a_pause() -> None:
    circuit = Circuit()
    circuit.pause(100 * SECOND, 160 * SECOND)
    assert circuit.paused(101 * SECOND)
    assert not circuit.paused(20 * SECOND)
