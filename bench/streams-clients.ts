import { get, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** What streams of pages got. */
export interface Heard {
  streams: number;
  /** Streams that could not be opened, or were ended, by what was said. */
  broken: Record<string, number>;
  /** Streams that got nothing, not even their `open`. */
  silent: number;
  /** Events of the stream that got fewest and most between two places that all have seen. */
  least: number;
  most: number;
  /** Events that came twice to one stream, or out of order. */
  doubled: number;
}

interface Stream {
  rows: number[];
  rest: string;
}

const TOPICS = 'topic=canary/*&topic=jobs&topic=gates';

/** In a process of its own: `URL STREAMS SECONDS`. Prints a Heard as JSON. */
export async function run([url = '', count = '', seconds = '']: readonly string[]): Promise<void> {
  const streams: Stream[] = [];
  const broken: Record<string, number> = {};
  const lost = (why: string): void => {
    broken[why] = (broken[why] ?? 0) + 1;
  };
  for (let i = 0; i < Number(count); i++) {
    const stream: Stream = { rows: [], rest: '' };
    streams.push(stream);
    get(`${url}/sse?${TOPICS}`, { agent: false }, (response) => follow(response, stream, lost)).on(
      'error',
      ({ message }) => lost(message),
    );
    // As pages come: not all in the same millisecond.
    if (i % 50 === 49) await wait(20);
  }
  await wait(Number(seconds) * 1000);
  process.stdout.write(`${JSON.stringify(summary(streams, broken))}\n`, () => process.exit(0));
}

function follow(response: IncomingMessage, stream: Stream, lost: (why: string) => void): void {
  if (response.statusCode !== 200) lost(`status ${response.statusCode}`);
  response.setEncoding('latin1');
  response.on('close', () => lost('ended'));
  response.on('data', (text: string) => {
    const lines = (stream.rest + text).split('\n');
    stream.rest = lines.pop() ?? '';
    for (const line of lines) {
      // `id: SEQ.ROW.LOG`: the row counts the checks.
      if (line.startsWith('id: ')) stream.rows.push(Number(line.split('.')[1]));
    }
  });
}

function summary(all: readonly Stream[], broken: Heard['broken']): Heard {
  const streams = all.filter(({ rows }) => rows.length > 0);
  const from = Math.max(...streams.map(({ rows }) => rows[0] ?? 0));
  const to = Math.min(...streams.map(({ rows }) => rows.at(-1) ?? 0));
  const counts = streams.map(({ rows }) => new Set(rows.filter((row) => row > from && row <= to)).size);
  const doubled = streams.reduce(
    // The first is the place at which the stream opened.
    (sum, { rows }) => sum + rows.slice(2).filter((row, i) => row <= rows[i + 1]!).length,
    0,
  );
  return {
    streams: all.length,
    broken,
    silent: all.length - streams.length,
    least: Math.min(...counts),
    most: Math.max(...counts),
    doubled,
  };
}
