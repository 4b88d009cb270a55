import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Reply {
  status?: number;
  type?: string;
  body: unknown;
  /** Milliseconds before answering. */
  delay?: number;
}

export interface StubSeries {
  metric: Record<string, string>;
  /** Seconds since the epoch, value as the API writes it. */
  values: [number, string][];
}

export interface StubPrometheus {
  url: string;
  /** All queries in the order they came. */
  queries: string[];
  headers: Record<string, string | string[] | undefined>[];
  /** Most requests in flight at once, and connections opened. */
  load: { most: number; connections: number };
  /** Answers queries that are no raw selector; a raw one too when it returns something. */
  answer: (query: string, nth: number) => Reply | undefined;
  series: StubSeries[];
  /** Seconds since the epoch; null: samples of every time are answered. A query that names a time has that one. */
  now: number | null;
  /** What time it says it is, seconds since the epoch; null: nothing. */
  date: number | null;
  /** Answers range queries. */
  range: (parameters: URLSearchParams) => Reply;
  close(): Promise<void>;
}

export const success = (resultType: string, result: unknown, more: object = {}): Reply => ({
  body: { status: 'success', data: { resultType, result }, ...more },
});
export const vector = (...values: string[]): Reply =>
  success(
    'vector',
    values.map((value, i) => ({ metric: { i: String(i) }, value: [1, value] })),
  );

const RAW = /^\{(.*)\}\[(\d+)s\]$/s;
const MATCHER = /([a-zA-Z_]\w*|"(?:[^"\\]|\\.)*")(=~|!~|!=|=)("(?:[^"\\]|\\.)*"),?/gs;

type Test = (metric: Record<string, string>) => boolean;

/** Tests for matchers as they stand between braces; strings are those of JSON, as far as tests go. */
function testsOf(matchers: string): Test[] {
  return [...matchers.matchAll(MATCHER)].map(([, name = '', op = '', literal = '']): Test => {
    const label = name.startsWith('"') ? (JSON.parse(name) as string) : name;
    const value = JSON.parse(literal) as string;
    const pattern = op.endsWith('~') ? new RegExp(`^(?:${value})$`, 's') : null;
    const wanted = !op.startsWith('!');
    return (metric) => (pattern ? pattern.test(metric[label] ?? '') : (metric[label] ?? '') === value) === wanted;
  });
}

/** What a raw range selector gives at a time, seconds since the epoch (null: samples of every time); null: it is none. */
export function selected(series: readonly StubSeries[], query: string, time: number | null): StubSeries[] | null {
  const [, matchers, seconds] = RAW.exec(query) ?? [];
  if (matchers === undefined) return null;
  const tests = testsOf(matchers);
  const found = series.filter(({ metric }) => tests.every((test) => test(metric)));
  if (time === null) return found;
  const within = ([t]: [number, string]) => t <= time && t > time - Number(seconds);
  const then = found.map((each) => ({ ...each, values: each.values.filter(within) }));
  return then.filter(({ values }) => values.length > 0);
}

/** The query API of a Prometheus that holds `series`, on loopback, in the shapes that Prometheus 2.42 answers. */
export async function stubPrometheus(): Promise<StubPrometheus> {
  const load = { most: 0, connections: 0 };
  let now = 0;
  const server = createServer((request, response) => {
    load.most = Math.max(load.most, ++now);
    const url = new URL(request.url ?? '/', 'http://stub');
    const query = url.searchParams.get('query') ?? '';
    stub.queries.push(query);
    stub.headers.push(request.headers);
    const time = url.searchParams.has('time') ? Number(url.searchParams.get('time')) : (stub.date ?? stub.now);
    const paths: Record<string, () => Reply> = {
      '/api/v1/query': () => stub.answer(query, stub.queries.length) ?? raw(query, time),
      '/api/v1/query_range': () => stub.range(url.searchParams),
    };
    const reply = paths[url.pathname]?.() ?? { status: 404, body: 'no' };
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    setTimeout(() => {
      now -= 1;
      // Of the machine that runs the tests it says nothing.
      response.sendDate = false;
      if (stub.date !== null) response.setHeader('date', new Date(stub.date * 1000).toUTCString());
      response.writeHead(reply.status ?? 200, { 'content-type': reply.type ?? 'application/json' }).end(text);
    }, reply.delay ?? 0).unref();
  });
  server.on('connection', () => {
    load.connections += 1;
  });
  const raw = (query: string, time: number | null): Reply => {
    const found = selected(stub.series, query, time);
    return found === null
      ? { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'no stub for it' } }
      : success('matrix', found);
  };
  const stub: StubPrometheus = {
    url: '',
    queries: [],
    headers: [],
    load,
    answer: () => undefined,
    series: [],
    now: null,
    date: null,
    range: () => ({ status: 400, body: { status: 'error', errorType: 'bad_data', error: 'no range stub' } }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  stub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return stub;
}
