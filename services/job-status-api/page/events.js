// A job's server-sent events. They come through fetch, for EventSource can send no API key.

import { request } from './api.js';
import { pause } from './times.js';

const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/**
 * Follows a job to its end, over lost connections, each event once.
 * @param {(type: string, data: object) => void} heard
 * @param {(connected: boolean) => void} connection
 * @returns what the event `done` carries; null where the signal ended it
 * @throws {ApiError} where trying again would not help
 */
export async function follow(url, { heard, connection = () => {}, signal }) {
  let lastId = '';
  let wait = SHORTEST_WAIT;
  while (!signal.aborted) {
    try {
      const headers = { Accept: 'text/event-stream', ...(lastId && { 'Last-Event-ID': lastId }) };
      const response = await request(url, { headers, signal });
      connection(true);
      for await (const event of parse(response.body)) {
        wait = SHORTEST_WAIT;
        lastId = event.id ?? lastId;
        const data = JSON.parse(event.data);
        heard(event.type, data);
        if (event.type === 'done') return data;
      }
    } catch (error) {
      if (signal.aborted) return null;
      if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    connection(false);
    await pause(wait, signal);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  }
  return null;
}

/** The events of a stream, by https://html.spec.whatwg.org/multipage/server-sent-events.html. */
export async function* parse(body) {
  let event = { type: 'message', data: [] };
  for await (const line of lines(body)) {
    if (line === '') {
      if (event.data.length) yield { ...event, data: event.data.join('\n') };
      event = { type: 'message', data: [] };
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === 'data') event.data.push(value ?? '');
    if (field === 'event') event.type = value;
    if (field === 'id') event.id = value;
  }
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).split(/\r?\n/);
      rest = parts.pop();
      yield* parts;
    }
  } finally {
    // Whoever stops listening lets the connection go; that it is gone already does not matter.
    reader.cancel().catch(() => {});
  }
}
