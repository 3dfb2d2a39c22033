// The guest `chance` in JavaScript: rows that no two runs have alike, of clocks, of randomness, and of which answer is there first.

import handler from "wasi:http/outgoing-handler@0.2.12";
import http from "wasi:http/types@0.2.12";
import insecure from "wasi:random/insecure@0.2.12";
import monotonic from "wasi:clocks/monotonic-clock@0.2.12";
import poll from "wasi:io/poll@0.2.12";
import random from "wasi:random/random@0.2.12";

const NANOS_OF_MS = 1_000_000;

// Whoever waits for the collector of garbage lets a parent go before its child, which the contract forbids.
function letGo(...resources) {
  resources.forEach((resource) => resource[Symbol.dispose]());
}

function sleep(ms) {
  const timer = monotonic.subscribeDuration(ms * NANOS_OF_MS);
  timer.block();
  letGo(timer);
}

// Which of these are there first.
function waitFor(pollables) {
  const ready = Array.from(poll.poll(pollables));
  letGo(...pollables);
  return ready;
}

function ask(baseUrl, path) {
  const request = new http.OutgoingRequest(new http.Fields());
  request.setMethod({ tag: "get" });
  request.setScheme({ tag: "HTTP" });
  request.setAuthority(baseUrl.slice("http://".length));
  request.setPathWithQuery(path);
  return handler.handle(request, null);
}

// The body of an answer that is there.
function text(answer) {
  const response = answer.get().val.val;
  const body = response.consume();
  const stream = body.stream();
  let text = "";
  try {
    for (;;) {
      text += String.fromCharCode(...stream.blockingRead(4096));
    }
  } catch {
    // The stream has ended.
  }
  letGo(stream, body, response, answer);
  return text;
}

// What six requests were answered, in the order in which the answers came.
function inOrderOfArrival(baseUrl) {
  let waiting = [0, 1, 2, 3, 4, 5].map((number) => ask(baseUrl, `/number/${number}`));
  const texts = [];
  while (waiting.length > 0) {
    const ready = waitFor(waiting.map((answer) => answer.subscribe()));
    texts.push(...ready.map((index) => text(waiting[index])));
    waiting = waiting.filter((_, index) => !ready.includes(index));
  }
  return texts;
}

// Which of an answer and a timer is there first. An answer that is not is left.
function first(baseUrl) {
  const answer = ask(baseUrl, "/late");
  const ready = waitFor([answer.subscribe(), monotonic.subscribeDuration(50 * NANOS_OF_MS)]);
  letGo(answer);
  return ready.includes(0) ? "answer" : "timer";
}

class Reader {
  constructor(config) {
    this.config = config;
    this.drawn = 0;
    this.began = monotonic.now();
  }

  row() {
    const { base_url: baseUrl, sleep_ms: sleepMs } = this.config;
    sleep(sleepMs);
    const row = {
      number: this.drawn,
      wall_ms: Date.now(),
      passed_ms: Math.floor((monotonic.now() - this.began) / NANOS_OF_MS),
      random: Array.from(random.getRandomBytes(8)).join("."),
      insecure: Array.from(insecure.getInsecureRandomBytes(8)).join("."),
    };
    if (this.drawn === 0) {
      row.answers = inOrderOfArrival(baseUrl);
      row.first = first(baseUrl);
    }
    return row;
  }

  next() {
    if (this.drawn === this.config.pages) {
      return { tag: "end" };
    }
    const line = `${JSON.stringify(this.row())}\n`;
    this.drawn += 1;
    const rows = { rowCount: 1, data: Uint8Array.from(line, (letter) => letter.charCodeAt(0)) };
    const batch = {
      stream: "draws",
      schemaVersion: 1,
      operations: { tag: "all", val: "insert" },
      rows: { tag: "json-lines", val: rows },
    };
    const checkpoint = JSON.stringify(`${this.drawn}-${random.getRandomBytes(8)[0]}`);
    return { tag: "page", val: { batches: [batch], rejects: [], checkpoint, transactionEnd: false } };
  }

  committed() {}
}

const draws = {
  schema: {
    stream: "draws",
    version: 1,
    schema: { fields: [], children: [], additionalFields: true },
    keys: [],
    operations: { insert: true, update: false, upsert: false, delete: false },
    layout: "json-lines",
  },
  group: null,
  cursorFields: [],
  incremental: false,
  pushdown: { fields: false, filter: false, limit: false },
  estimatedRows: null,
  description: null,
};

export const source = {
  Reader,
  check() {},
  discover: () => ({ streams: [draws], groups: [] }),
  open: (config) => new Reader(JSON.parse(config)),
};
