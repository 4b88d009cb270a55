import { expect } from 'chai';
import type { Lookup } from '../../../../src/lib/metrics/pages/addresses.js';
import { type FetchedPage, Pages, type PagesOptions } from '../../../../src/lib/metrics/pages/fetch.js';
import { delimited, Float, family, message, zigzag } from './protobuf.js';
import { Servers } from './serve.js';

const WANTED = ['requests_total', 'latency_bucket', 'latency_count', 'process_start_time_seconds'];

describe('Pages', () => {
  const servers = new Servers();
  afterEach(() => servers.close());

  const open = (more: Partial<PagesOptions> = {}) => new Pages({ wanted: WANTED, timeoutMs: 2000, ...more });
  const one = async (pages: Pages, url: string): Promise<FetchedPage> => (await pages.fetch([url])).get(url)![0]!;
  /** Names as a resolver would have them, by host. */
  const names =
    (hosts: Record<string, readonly string[]>): Lookup =>
    async (host) => {
      const addresses = hosts[host];
      if (addresses === undefined) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    };

  it('gives each page as a target, and when its process began', async () => {
    const url = await servers.http((_, response) => {
      response.end(
        '# TYPE requests_total counter\nrequests_total 5\nother 1\nprocess_start_time_seconds 1700000000.25\n',
      );
    });
    const { target, facts } = await one(open(), url);
    expect(target).to.deep.equal({
      id: url,
      state: { state: 'ok' },
      startedAt: 1_700_000_000_250,
      samples: [
        { name: 'requests_total', labels: {}, value: 5 },
        { name: 'process_start_time_seconds', labels: {}, value: 1700000000.25 },
      ],
    });
    expect([...facts!.names]).to.include('other');
  });

  it('does not say when a process began where several did, or none', async () => {
    for (const starts of ['{pid="1"} 1.7e9\nprocess_start_time_seconds{pid="2"} 1.7e9', ' NaN', ' 0', ' +Inf']) {
      const url = await servers.http((_, response) => void response.end(`process_start_time_seconds${starts}\n`));
      expect((await one(open(), url)).target, starts).to.not.have.property('startedAt');
    }
  });

  it('asks each page once, whoever reads it, and several at once', async () => {
    let asked = 0;
    const url = await servers.http((_, response) => void response.end(`requests_total ${++asked}\n`));
    const fetched = await open().fetch([url, `${url}?a=1`, url, `${url}?a=2`]);
    expect(asked).to.equal(3);
    expect([...fetched].map(([key, pages]) => [key, pages.map(({ target }) => target.id)])).to.deep.equal([
      [url, [url]],
      [`${url}?a=1`, [`${url}?a=1`]],
      [`${url}?a=2`, [`${url}?a=2`]],
    ]);
  });

  it('tells pages apart whose secrets are masked, in the same way each time', async () => {
    const url = await servers.http((request, response) => void response.end(`requests_total ${request.url!.length}\n`));
    const urls = ['ab', 'abc'].map((token) => `${url}?token=${token}`);
    const pages = open();
    for (let i = 0; i < 2; i++) {
      const ids = [...(await pages.fetch(urls)).values()].map(([page]) => page!.target.id);
      expect(new Set(ids).size).to.equal(2);
      expect(ids.join()).to.not.match(/=ab/);
      expect(ids[1]).to.equal(`${ids[0]} #2`);
    }
  });

  it('has a state for a page that does not answer', async () => {
    const url = await servers.http((_, response) => void response.writeHead(503).end());
    const [good] = [await servers.http((_, response) => void response.end('requests_total 1\n'))];
    const fetched = await open().fetch([url, good!]);
    expect(fetched.get(url)).to.deep.equal([
      { target: { id: url, state: { state: 'unreachable', detail: `${url} answered 503` }, samples: [] }, facts: null },
    ]);
    expect(fetched.get(good!)![0]!.target.state).to.deep.equal({ state: 'ok' });
  });

  it('rejects with the reason of its signal', async () => {
    const asked = Promise.withResolvers<void>();
    const url = await servers.http(() => asked.resolve());
    const stop = new AbortController();
    const fetching = open()
      .fetch([url], stop.signal)
      .catch((error: unknown) => error);
    await asked.promise;
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await fetching).to.equal(reason);
  });

  it('sends its credentials with every request, and they may say what is accepted', async () => {
    const seen: unknown[] = [];
    const url = await servers.http((request, response) => {
      seen.push(request.headers.authorization, request.headers['x-scope'], request.headers.accept);
      response.end('requests_total 1\n');
    });
    const headers = { authorization: 'Bearer t0ken', 'x-scope': 'a', Accept: 'text/plain' };
    await one(open({ credentials: { headers } }), url);
    expect(seen).to.deep.equal(['Bearer t0ken', 'a', 'text/plain']);
  });

  describe('dns+http://', () => {
    const at = (url: string, host = 'svc.test') => url.replace('http://127.0.0.1', `dns+http://${host}`);

    it('is each address of the name, at the time of each look', async () => {
      const hosts: Record<string, string[]> = { 'svc.test': ['127.0.0.2', '127.0.0.1', '127.0.0.2'] };
      const seen: unknown[] = [];
      const answer =
        (value: number) =>
        (request: { headers: { host?: string | undefined } }, response: { end(text: string): void }) => {
          seen.push(request.headers.host);
          response.end(`requests_total ${value}\n`);
        };
      const url = await servers.http(answer(1));
      const port = Number(new URL(url).port);
      await servers.http(answer(2), '127.0.0.2', port);
      const pages = open({ lookup: names(hosts) });
      const look = async () => {
        const found = (await pages.fetch([at(url)])).get(at(url))!;
        return found.map(({ target }) => [target.id, target.samples[0]?.value ?? target.state]);
      };
      const id = (address: string) => `http://svc.test:${port}/metrics (${address})`;
      expect(await look()).to.deep.equal([
        [id('127.0.0.1'), 1],
        [id('127.0.0.2'), 2],
      ]);
      expect(seen).to.deep.equal([`svc.test:${port}`, `svc.test:${port}`]);
      hosts['svc.test'] = ['127.0.0.3', '127.0.0.2'];
      expect(await look()).to.deep.equal([
        [id('127.0.0.2'), 2],
        [id('127.0.0.3'), { state: 'unreachable', detail: `${id('127.0.0.3')}: connection refused (ECONNREFUSED)` }],
      ]);
      // While nobody knows the name, its processes are asked where they were.
      delete hosts['svc.test'];
      expect((await look()).map(([place]) => place)).to.deep.equal([id('127.0.0.2'), id('127.0.0.3')]);
    });

    it('takes IPv4 and IPv6 addresses of a name for the same processes', async () => {
      const url = await servers.http((_, response) => void response.end('requests_total 1\n'));
      const pages = open({ lookup: names({ 'svc.test': ['::1', '127.0.0.1'], 'six.test': ['::1'] }) });
      const ids = async (name: string) =>
        (await pages.fetch([at(url, name)])).get(at(url, name))!.map(({ target }) => target.id);
      expect(await ids('svc.test')).to.have.length(1);
      expect((await ids('svc.test'))[0]).to.contain('(127.0.0.1)');
      expect((await ids('six.test'))[0]).to.contain('(::1)');
    });

    it('keeps to addresses of one kind while only those of the other are found, so that no process counts twice', async () => {
      const url = await servers.http((_, response) => void response.end('requests_total 1\n'));
      const hosts: Record<string, string[]> = { 'svc.test': ['127.0.0.1', '::1'] };
      const pages = open({ lookup: names(hosts) });
      const ids = async () => (await pages.fetch([at(url)])).get(at(url))!.map(({ target }) => target.id);
      const before = await ids();
      hosts['svc.test'] = ['::1'];
      expect(await ids()).to.deep.equal(before);
      hosts['svc.test'] = ['127.0.0.2'];
      expect((await ids())[0]).to.contain('(127.0.0.2)');
    });

    it('has a state for a name that leads nowhere, or to too many places', async () => {
      const many = Array.from({ length: 101 }, (_, i) => `127.0.1.${i}`);
      const pages = open({
        timeoutMs: 50,
        lookup: (host) =>
          host === 'slow.test' ? new Promise(() => undefined) : names({ 'many.test': many, 'none.test': [] })(host),
      });
      for (const [host, state, words] of [
        ['gone.test', 'unreachable', /^dns\+http:\/\/gone\.test:1\/m: host not found \(ENOTFOUND\)$/],
        ['none.test', 'unreachable', /: the name has no addresses$/],
        ['slow.test', 'unreachable', /: the name was not looked up within 0\.05 s$/],
        ['many.test', 'invalid', /: the name has 101 addresses; at most 100 are read$/],
      ] as const) {
        const url = `dns+http://${host}:1/m`;
        const { target } = await one(pages, url);
        expect(target.id).to.equal(url);
        expect(target.state.state).to.equal(state);
        expect((target.state as { detail: string }).detail).to.match(words);
      }
    });

    it('asks the resolver of the system', async () => {
      const url = await servers.http((_, response) => void response.end('requests_total 1\n'));
      const found = (await open().fetch([at(url, 'localhost')])).get(at(url, 'localhost'))!;
      expect(found.map(({ target }) => target.state.state)).to.deep.equal(['ok']);
    });
  });

  describe('Protocol Buffers', () => {
    const type = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
    const native = message(
      [1, 3],
      [5, zigzag(0)],
      [6, new Float(2 ** -128)],
      [12, message([1, zigzag(0)], [2, 1])],
      [13, zigzag(2)],
    );
    const bytes = delimited(family('latency', 4, message([7, native])));
    const text = 'latency_bucket{le="+Inf"} 3\nlatency_count 3\n';

    it('are asked for where a histogram has no bounds in the text, and from then on at once', async () => {
      const accepted: boolean[] = [];
      const url = await servers.http((request, response) => {
        const wants = /^application\/vnd\.google\.protobuf/.test(request.headers.accept!);
        accepted.push(wants);
        if (wants) response.setHeader('content-type', type).end(bytes);
        else response.end(text);
      });
      const pages = open();
      for (let i = 0; i < 2; i++) {
        const { target } = await one(pages, url);
        const value = (le: string) => target.samples.find(({ labels }) => labels['le'] === le)?.value;
        expect([value('0.5'), value('1'), value('+Inf')]).to.deep.equal([0, 2, 3]);
      }
      expect(accepted).to.deep.equal([false, true, true]);
    });

    it('are not asked for again where they gave no more', async () => {
      let asked = 0;
      const url = await servers.http((_, response) => {
        asked += 1;
        response.end(text);
      });
      const pages = open();
      for (let i = 0; i < 3; i++) expect((await one(pages, url)).target.samples).to.have.length(2);
      expect(asked).to.equal(4);
    });

    it('are not asked for otherwise', async () => {
      const accepted: string[] = [];
      const url = await servers.http((request, response) => {
        accepted.push(request.headers.accept!);
        response.end('latency_bucket{le="1"} 3\nlatency_bucket{le="+Inf"} 3\nother_bucket{le="+Inf"} 1\n');
      });
      await one(open(), url);
      expect(accepted).to.have.length(1);
      expect(accepted[0])
        .to.match(/^text\/plain;version=0\.0\.4;q=1,/)
        .and.not.contain('protobuf');
    });
  });

  it('asks for names as they are where the wanted ones are not plain', async () => {
    let accepted = '';
    const url = await servers.http((request, response) => {
      accepted = request.headers.accept!;
      response
        .setHeader('content-type', 'text/plain; version=1.0.0; escaping=allow-utf-8')
        .end('{"http.requests"} 3\n');
    });
    const { target } = await one(open({ wanted: ['http.requests'] }), url);
    expect(target.samples).to.deep.equal([{ name: 'http.requests', labels: {}, value: 3 }]);
    expect(accepted).to.match(
      /^text\/plain;version=1\.0\.0;escaping=allow-utf-8;q=1,text\/plain;version=0\.0\.4;q=0\.9,/,
    );
  });

  it('reads a large page in slices between which others have their turn', async () => {
    const url = await servers.http((_, response) => void response.end('requests_total{a="b"} 1\n'.repeat(400_000)));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const reading = one(open({ timeoutMs: 60_000 }), url);
    const { target } = await reading;
    clearInterval(timer);
    expect(target.samples).to.have.length(400_000);
    expect(turns).to.be.greaterThan(2);
  });
});
