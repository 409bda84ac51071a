"""The worker's jobs."""

from threading import Event

from structlog.testing import capture_logs

from marketplace.entrypoints.jobs import Jobs


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Waiting(Event):
    """Stops instead of waiting for the third time."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        if len(self.waits) == 3:
            self.set()
        return self.is_set()


def test_a_round_gives_every_job_its_turn_and_counts_what_was_done():
    assert Jobs(jobs={"a": lambda: 2, "b": lambda: 0, "c": lambda: 3}).run_round() == 5


def test_it_waits_only_when_there_was_nothing_to_do():
    left = [3, 1, 0, 0, 5, 0]
    stop = Waiting()
    Jobs(jobs={"a": lambda: left.pop(0)}, idle=0.25).run_until(stop)
    assert left == []
    assert stop.waits == [0.25, 0.25, 0.25]


def test_a_failing_job_is_logged_and_holds_nobody_up():
    done = []

    def fail():
        raise RuntimeError("no")

    with capture_logs() as lines:
        assert Jobs(jobs={"bad": fail, "good": lambda: done.append(1) or 1}).run_round() == 1
    assert done == [1]
    assert lines[0]["event"] == "job failed"
    assert lines[0]["job"] == "bad"


def test_a_failing_job_waits_longer_each_time_up_to_a_minute():
    calls = []
    time = Time()

    def fail():
        calls.append(time.now)
        raise RuntimeError("no")

    jobs = Jobs(jobs={"bad": fail}, idle=1.0, monotonic=time)
    for second in range(300):
        time.now = float(second)
        jobs.run_round()
    assert calls == [0, 2, 6, 14, 30, 62, 122, 182, 242]


def test_a_job_that_works_again_is_forgiven():
    outcomes = [True, False, True, False]
    calls = []
    time = Time()

    def job():
        calls.append(time.now)
        if outcomes.pop(0):
            raise RuntimeError("no")
        return 1

    jobs = Jobs(jobs={"job": job}, idle=1.0, monotonic=time)
    for now in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0):
        time.now = now
        jobs.run_round()
    assert calls == [0, 2, 3, 5]


def test_stopping_finishes_the_job_in_hand_and_begins_no_other():
    stop = Event()
    done = []

    def first():
        stop.set()
        done.append("first")
        return 1

    Jobs(jobs={"first": first, "second": lambda: done.append("second") or 1}).run_until(stop)
    assert done == ["first"]
