import { expect } from 'chai';
import { getBytes } from '../../../../src/lib/metrics/http.js';
import { type Page, readPage } from '../../../../src/lib/metrics/pages/page.js';
import { delimited, Float, family, message } from './protobuf.js';
import { Servers } from './serve.js';

const TEXT = 'text/plain; version=0.0.4';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const PAGE = `# TYPE model_requests_total counter
model_requests_total{pod="größer"} 1007000
model_latency_bucket{le="0.25"} 12
model_latency_bucket{le="+Inf"} 100
`;

describe('readPage', () => {
  const servers = new Servers();
  afterEach(() => servers.close());

  async function read(url: string, wanted: (name: string) => boolean = () => true): Promise<Page> {
    const answer = await getBytes(url, { timeoutMs: 5000 });
    if (!answer.ok) throw new Error(answer.detail);
    return readPage(url, answer, wanted);
  }
  const served = (type: string, body: string | Uint8Array) =>
    servers.http((_, response) => void response.setHeader('content-type', type).end(body));
  /** HTTP/1.0 gives no length: the page ends where the connection does. */
  const closing = (type: string, body: string | Uint8Array) =>
    servers.raw(Buffer.concat([Buffer.from(`HTTP/1.0 200 OK\r\nContent-Type: ${type}\r\n\r\n`), Buffer.from(body)]));
  async function missing(url: string): Promise<{ state: string; detail?: string }> {
    const page = await read(url);
    if (page.ok) throw new Error(`was read: ${JSON.stringify(page.samples)}`);
    return page.missing;
  }

  const GOOD = [
    ['text', TEXT, PAGE],
    ['OpenMetrics', OPEN_METRICS, `${PAGE}# EOF\n`],
    ['OpenMetrics without a last line feed', OPEN_METRICS, `${PAGE}# EOF`],
  ] as const;
  for (const [what, type, body] of GOOD) {
    it(`reads ${what} that ends with its connection, and no beginning of it that ends within a line`, async () => {
      const whole = await read(await closing(type, body));
      expect(whole.ok && whole.samples.map(({ value }) => value)).to.deep.equal([1007000, 12, 100]);
      const bytes = Buffer.from(body);
      for (let length = 1; length < bytes.length; length++) {
        const isLineEnd = bytes[length - 1] === 0x0a;
        if (body.startsWith(bytes.subarray(0, length).toString()) && isLineEnd && type === TEXT) continue;
        if (length === bytes.length - 1 && type === OPEN_METRICS && body.endsWith('\n')) continue;
        const url = await closing(type, bytes.subarray(0, length));
        const detail = `${url}: the answer was cut off: its connection closed before the end of the page, and it gave no length`;
        expect(await missing(url), `${length} bytes`).to.deep.equal({ state: 'unreachable', detail });
        await servers.close();
      }
    });
  }

  it('needs no last line feed where HTTP says that the page is whole', async () => {
    const page = await read(await served(TEXT, PAGE.trimEnd()));
    expect(page.ok && page.samples.at(-1)!.value).to.equal(100);
    const chunked = await servers.http((_, response) => {
      response.write(PAGE.slice(0, 50));
      response.end(PAGE.slice(50).trimEnd());
    });
    const other = await read(chunked);
    expect(other.ok && other.samples.at(-1)!.value).to.equal(100);
  });

  it('refuses OpenMetrics without an end, though HTTP says that the page is whole', async () => {
    const url = await served(OPEN_METRICS, PAGE);
    expect(await missing(url)).to.deep.equal({
      state: 'invalid',
      detail: `${url}, line 4: the text ends without "# EOF": it was cut off`,
    });
  });

  for (const [what, type, body, words] of [
    ['HTML', 'text/html; charset=utf-8', '<!doctype html>\n<form>', / answers with HTML, not with metrics$/],
    ['HTML called text', TEXT, '<!doctype html>\n<form>', /, line 1: not an exposition: .* got "<!doctype html>"$/],
    ['JSON', 'application/json', '{"requests": 1}', /: this is JSON, not a metrics page$/],
    ['deep JSON', TEXT, '['.repeat(1e5) + ']'.repeat(1e5), /: this is JSON, not a metrics page$/],
    ['deep nonsense', TEXT, '['.repeat(1e6), /, line 1: not an exposition/],
    ['another encoding', TEXT, Buffer.from('a{b="dur\xe9e"} 1\n', 'latin1'), /: not a text in UTF-8 \(text\/plain; /],
    ['carriage returns', TEXT, PAGE.replaceAll('\n', '\r\n'), /, line 2: expected a value, got "1007000\\r"$/],
    [
      'exemplars in the text format',
      TEXT,
      'a_total 1 # {trace_id="abc"} 0.054\n',
      /expected the end of the line, got "# {trace/,
    ],
    ['bytes called Protocol Buffers', PROTOBUF, PAGE, /: not a text in UTF-8 \(application\/vnd\.google\.protobuf; /],
  ] as const) {
    it(`${what} is invalid, whether a length is given or not`, async () => {
      for (const url of [await served(type, body), ...(type === PROTOBUF ? [] : [await closing(type, body)])]) {
        const { state, detail } = await missing(url);
        expect(state).to.equal('invalid');
        expect(detail)
          .to.match(words)
          .and.to.satisfy((text: string) => text.startsWith(url));
      }
    });
  }

  it('says when a page holds not one sample', async () => {
    for (const body of [
      '',
      '\n\n',
      'OK\n',
      '# HELP a b\n',
      '# TYPE a counter\n',
      'Not Found\n',
      'Service is up\nInfo: none\n',
    ]) {
      const page = await read(await served(TEXT, body), () => false);
      expect(page.ok && page.facts.names.size, JSON.stringify(body)).to.equal(0);
    }
    for (const body of ['a 1', 'a{b="c"} 1\n', 'OK\na -.5\n', 'a NaN\n', 'a +Inf\n', '{"a"} 1\n', 'a  \t1\n']) {
      const page = await read(await served(TEXT, body), () => false);
      expect(page.ok && page.facts.names.size, JSON.stringify(body)).to.equal(1);
    }
  });

  it('reads a byte order mark, tabs and blank lines', async () => {
    const page = await read(await served(TEXT, '\ufeff# HELP x y\n\n \t\na{b="c"}\t1\t\n\n'));
    expect(page.ok && page.samples).to.deep.equal([{ name: 'a', labels: { b: 'c' }, value: 1 }]);
  });

  it('reads Protocol Buffers, and nothing of what was cut off', async () => {
    const families = ['a_total', 'b_total'].map((name) => family(name, 0, message([3, message([1, new Float(7)])])));
    const bytes = delimited(...families);
    for (const url of [await served(PROTOBUF, bytes), await closing(PROTOBUF, bytes)]) {
      const page = await read(url);
      expect(page.ok && page.samples.map(({ name, value }) => [name, value])).to.deep.equal([
        ['a_total', 7],
        ['b_total', 7],
      ]);
    }
    expect(await missing(await closing(PROTOBUF, bytes.subarray(0, -1)))).to.include({ state: 'unreachable' });
  });

  it('finds timestamps in another unit, and lets none lie in the future', async () => {
    const now = 1_796_000_000;
    for (const [type, t, words, read_] of [
      [TEXT, `${now}`, 'timestamps of a are in seconds, the text format has milliseconds', now],
      [TEXT, `${now}000000`, 'timestamps of a are in microseconds, the text format has milliseconds', 0],
      [TEXT, `${now}000000000`, 'timestamps of a are in nanoseconds, the text format has milliseconds', 0],
      [OPEN_METRICS, `${now}000`, 'timestamps of a are in milliseconds, OpenMetrics has seconds', 0],
      [TEXT, `${now}000`, undefined, now * 1000],
      [TEXT, '0', undefined, 0],
      [OPEN_METRICS, `${now}.5`, undefined, now * 1000 + 500],
    ] as const) {
      const page = await read(await served(type, `a 1 ${t}\n${type === TEXT ? '' : '# EOF\n'}`));
      expect(page.ok && page.facts.timestamps.get('a'), `${type} ${t}`).to.equal(words);
      expect(page.ok && page.samples[0]!.t).to.equal(read_);
    }
  });
});
