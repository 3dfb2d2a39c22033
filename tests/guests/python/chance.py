"""The guest `chance` in Python: rows that no two runs have alike, of clocks, of randomness, and of which answer is there first."""

import json
import random
import secrets
import time
from contextlib import ExitStack

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.source import Step_End, Step_Page
from wit_world.imports import insecure, monotonic_clock, outgoing_handler
from wit_world.imports.cofferdam_connector_streams import Catalog, Page, Pushdown, StreamInfo
from wit_world.imports.cofferdam_connector_types import (
    Batch,
    JsonLines,
    Layout,
    Operation,
    Operations,
    RowOperations_All,
    Rows_JsonLines,
    Schema,
    StreamSchema,
)
from wit_world.imports.poll import poll
from wit_world.imports.wasi_http_types import Fields, Method_Get, OutgoingRequest, Scheme_Http

NANOS_OF_MS = 1_000_000


def ask(base_url, path):
    request = OutgoingRequest(Fields())
    request.set_method(Method_Get())
    request.set_scheme(Scheme_Http())
    request.set_authority(base_url.removeprefix("http://"))
    request.set_path_with_query(path)
    return outgoing_handler.handle(request, None)


def wait_for(pollables):
    """Which of these are there first."""
    with ExitStack() as held:
        return poll([held.enter_context(pollable) for pollable in pollables])


def text(answer):
    """The body of an answer that is there."""
    read = b""
    with answer, answer.get().value.value as response, response.consume() as body, body.stream() as stream:
        try:
            while True:
                read += stream.blocking_read(4096)
        except Err:
            # The stream has ended.
            return read.decode()


def in_order_of_arrival(base_url):
    """What six requests were answered, in the order in which the answers came."""
    waiting = [ask(base_url, f"/number/{number}") for number in range(6)]
    texts = []
    while waiting:
        ready = wait_for([answer.subscribe() for answer in waiting])
        texts += [text(waiting[index]) for index in ready]
        waiting = [answer for index, answer in enumerate(waiting) if index not in ready]
    return texts


def first(base_url):
    """Which of an answer and a timer is there first. An answer that is not is left."""
    with ask(base_url, "/late") as answer:
        ready = wait_for([answer.subscribe(), monotonic_clock.subscribe_duration(50 * NANOS_OF_MS)])
    return "answer" if 0 in ready else "timer"


class Reader(exports.source.Reader):
    def __init__(self, config):
        self.config = config
        self.drawn = 0
        self.began = time.monotonic_ns()
        # The generator of the interpreter stands in the component as it was when that was built.
        self.random = random.Random(secrets.token_bytes(16))

    def row(self):
        time.sleep(self.config["sleep_ms"] / 1000)
        row = {
            "number": self.drawn,
            "wall_ms": time.time_ns() // NANOS_OF_MS,
            "passed_ms": (time.monotonic_ns() - self.began) // NANOS_OF_MS,
            "random": secrets.token_hex(8),
            "drawn": self.random.random(),
            "insecure": str(insecure.get_insecure_random_u64()),
        }
        if self.drawn == 0:
            row["answers"] = in_order_of_arrival(self.config["base_url"])
            row["first"] = first(self.config["base_url"])
        return row

    def next(self, budget):
        if self.drawn == self.config["pages"]:
            return Step_End()
        line = json.dumps(self.row()) + "\n"
        self.drawn += 1
        rows = Rows_JsonLines(JsonLines(1, line.encode()))
        batch = Batch("draws", 1, RowOperations_All(Operation.INSERT), rows)
        checkpoint = json.dumps(f"{self.drawn}-{secrets.token_hex(4)}")
        return Step_Page(Page([batch], [], checkpoint, False))

    def committed(self, checkpoint):
        pass


class Source(exports.Source):
    def check(self, config):
        pass

    def discover(self, config):
        schema = Schema([], [], True)
        draws = StreamSchema("draws", 1, schema, [], Operations.INSERT, Layout.JSON_LINES)
        return Catalog([StreamInfo(draws, None, [], False, Pushdown(0), None, None)], [])

    def open(self, config, group, selections, checkpoint):
        return Reader(json.loads(config))
