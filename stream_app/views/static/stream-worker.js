// One stream for all tabs of a browser: with one each, the seventh would wait for ever for a connection (HTTP/1.1 has six).
// Which stream it is, is the worker's name: queues, or people.
// It is open while a tab wants it, and keeps what it was sent for tabs that come later.

import { connect } from "./stream.js";

const tabs = new Map(); // port → when it is given up, unless it is heard of again
const rows = new Map();
let whole = null; // the latest snapshot without its rows; null while there is none
let beat = null;
let end = null;

const keyOf = (row) => row.agent ?? `${row.queue}\n${row.channel}`;

function take(kind, text) {
  const data = JSON.parse(text);
  if (kind === "beat") beat = data;
  else {
    if (kind === "snapshot") rows.clear();
    for (const row of data.rows) rows.set(keyOf(row), row);
    for (const agent of data.gone ?? []) rows.delete(agent);
    whole = { ...data, everyone: { ...(kind === "change" ? whole?.everyone : {}), ...data.everyone }, rows: [], ...(data.gone && { gone: [] }) };
  }
  for (const port of tabs.keys()) port.postMessage([kind, data]);
}

function settle() {
  if (tabs.size && !end) end = connect(self.name, take);
  if (tabs.size || !end) return;
  end();
  [end, whole, beat] = [null, null, null];
  rows.clear();
}

// For so many milliseconds a tab wants the stream; 0: not any more. A tab that crashed says nothing.
function hear(port, wants) {
  const isNew = wants > 0 && !tabs.has(port);
  if (wants > 0) tabs.set(port, performance.now() + wants);
  else tabs.delete(port);
  if (isNew && whole) port.postMessage(["snapshot", { ...whole, rows: [...rows.values()] }]);
  if (isNew && beat) port.postMessage(["beat", beat]);
  settle();
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => hear(port, data);
};
setInterval(() => {
  for (const [port, until] of tabs) if (performance.now() > until) tabs.delete(port);
  settle();
}, 1000);
