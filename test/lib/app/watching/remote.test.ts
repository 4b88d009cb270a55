import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { expect } from 'chai';
import { DaemonClient } from '../../../../src/lib/app/watching/daemon.js';
import { RemoteWatching } from '../../../../src/lib/app/watching/remote.js';
import { LukhasError } from '../../../../src/lib/errors.js';
import { until } from '../../../until.js';
import { ManualClock } from '../../manual-clock.js';
import { refusal as refused } from '../../refusal.js';
import { KEY } from './stage.js';

const LISTS = { position: '0.1', canaries: [], jobs: [], gates: [], older: { canaries: 0, jobs: 0 }, warning: null };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that notes what it was asked. */
async function answering(answer: Answer): Promise<{ server: Server; url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, asked, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}

const lists: Answer = (_, response) => response.end(JSON.stringify(LISTS));
const refusal =
  (status: number, message: string): Answer =>
  (_, response) => {
    response.statusCode = status;
    response.end(JSON.stringify({ error: { code: 'X', message } }));
  };
/** The lists, and a stream that begins and then says `after`. */
const streaming =
  (after: (response: ServerResponse, request: IncomingMessage) => void): Answer =>
  (request, response) => {
    if (!request.url!.startsWith('/sse')) return lists(request, response);
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('id: 0.1\nevent: open\ndata: {"resumed":true}\n\n');
    after(response, request);
  };

describe('following a daemon', () => {
  const servers: Server[] = [];
  const ends: AbortController[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end.abort();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function follow(
    answer: Answer,
    key: string | null = KEY,
    more: { clock?: ManualClock; silenceMs?: number } = {},
  ) {
    const { server, url, asked } = await answering(answer);
    servers.push(server);
    const daemon = new DaemonClient(url, key);
    const watching = new RemoteWatching({ daemon, silenceMs: 60_000, retryMs: { first: 10, longest: 20 }, ...more });
    const end = new AbortController();
    ends.push(end);
    const states: string[] = [];
    let error: LukhasError | null = null;
    const ended = watching
      .follow(() => void states.push(watching.connection.state), end.signal)
      .catch((thrown: LukhasError) => {
        error = thrown;
      });
    return { url, asked, watching, states, ended, error: () => error };
  }

  it('ends at once where nothing was ever heard, with what is wrong and what to do', async () => {
    for (const [answer, code, words, advice] of [
      [refusal(401, 'unknown API key'), 'DAEMON_REFUSED', /unknown API key/, /LUKHAS_API_KEY/],
      [refusal(403, 'not from here'), 'DAEMON_REFUSED', /not from here/, /LUKHAS_API_KEY/],
      [refusal(503, 'starting'), 'DAEMON_UNREACHABLE', /starting/, /^$/],
      [(_, response) => response.end('<html>'), 'DAEMON_REFUSED', /does not answer as lukhas serve does/, /address/],
      [(_, response) => response.writeHead(404).end('x'), 'DAEMON_REFUSED', /answered 404/, /address/],
      ...[null, [], {}, 1, { ...LISTS, gates: [null] }, { ...LISTS, canaries: [{ id: 'c-1', state: 'RUNNING' }] }].map(
        (answer): [Answer, string, RegExp, RegExp] => [
          (_, response) => response.end(JSON.stringify(answer)),
          'DAEMON_REFUSED',
          /not lists of canaries/,
          /address/,
        ],
      ),
      [
        (_, response) => {
          const more = () => {
            while (!response.destroyed && response.write('x'.repeat(2 ** 20)));
          };
          response.on('drain', more);
          more();
        },
        ...(['DAEMON_REFUSED', /longer than 64 MiB/, /address/] as const),
      ],
      [(_, response) => response.destroy(), 'DAEMON_UNREACHABLE', /cannot be reached/, /lukhas serve/],
    ] as [Answer, string, RegExp, RegExp][]) {
      const { ended, error, url } = await follow(answer);
      await ended;
      const { code: was, message, suggestions } = error()!;
      expect(was, message).to.equal(code);
      expect(message).to.match(words).and.include(url);
      expect(suggestions.join()).to.match(advice);
      expect(message + suggestions.join()).to.not.include(KEY);
    }
  });

  it('sends the key in a header, to this address alone, and follows no redirect', async () => {
    const elsewhere = await answering(lists);
    servers.push(elsewhere.server);
    const { asked, ended, error } = await follow((_, response) => {
      response.writeHead(302, { Location: `${elsewhere.url}/api/overview` }).end();
    });
    await ended;
    expect(error()!.message).to.include('redirects to').and.include(elsewhere.url);
    expect(elsewhere.asked).to.deep.equal([]);
    expect(asked.map(({ headers }) => headers.authorization)).to.deep.equal([`Bearer ${KEY}`]);
    expect(asked.map(({ url }) => url).join()).to.not.include(KEY);
  });

  it('writes a pack nowhere but into the folder, whatever the canary is called', async () => {
    const { url, server } = await answering((_, response) =>
      response.end(JSON.stringify({ id: '/../../x', position: '0.1', events: [], gate: [], policyDigest: '' })),
    );
    servers.push(server);
    const watching = new RemoteWatching({ daemon: new DaemonClient(url, KEY) });
    const { code, message } = await refused(watching.exportPack('c-1', '/nowhere/at/all'));
    expect([code, message.replace(url, '')]).to.deep.equal([
      'DAEMON_REFUSED',
      ' does not answer as lukhas serve does: these are not entries of a canary',
    ]);
  });

  it('sends no key where there is none', async () => {
    const { asked, states } = await follow(
      streaming(() => undefined),
      null,
    );
    await until(() => states.includes('live'));
    expect(asked.some(({ headers }) => 'authorization' in headers)).to.equal(false);
  });

  it('believes no connection on which nothing is heard, not even a comment, and opens another', async () => {
    let streams = 0;
    const { states, watching } = await follow(
      streaming(() => void streams++),
      KEY,
      { silenceMs: 400 },
    );
    await until(() => streams > 1 && states.includes('stale'));
    expect(states.indexOf('live')).to.be.below(states.indexOf('stale'));
    expect(watching.connection.problem ?? 'nothing was heard').to.include('nothing was heard');
  });

  it('stays live on comments alone', async () => {
    const clock = new ManualClock(1_000_000);
    const streams: ServerResponse[] = [];
    const { states, watching } = await follow(
      streaming((response) => void streams.push(response)),
      KEY,
      { clock, silenceMs: 40_000 },
    );
    await until(() => states.includes('live'));
    // Ten times as long as silence is borne.
    for (let beat = 0; beat < 40; beat++) {
      for (let s = 0; s < 10; s++) await clock.advance(1000);
      streams[0]!.write(': still here\n\n');
      await until(() => watching.connection.heardAt === clock.time);
    }
    expect([streams.length, states.includes('stale')]).to.deep.equal([1, false]);
  });

  it('goes on after the last event that was whole, wherever the stream is cut', async () => {
    const event = (seq: number) =>
      `id: ${seq}.1\nevent: queued\ndata: {"jobId":"j-${seq}","ts":"2026-03-01T12:00:00Z"}\n\n`;
    const resumed: (string | undefined)[] = [];
    const { watching } = await follow(
      streaming((response, request) => {
        const last = request.headers['last-event-id'] as string;
        resumed.push(last);
        const seq = Number.parseInt(last, 10);
        // One that is whole, and most of another.
        if (seq < 3) response.end(event(seq + 1) + event(seq + 2).slice(0, -8));
      }),
    );
    await until(() => resumed.length === 4);
    expect(resumed).to.deep.equal(['0.1', '1.1', '2.1', '3.1']);
    expect([...watching.overview.jobs.keys()]).to.deep.equal(['j-1', 'j-2', 'j-3']);
  });

  it('reads the lists again where the log is another one', async () => {
    let read = 0;
    const { states } = await follow((request, response) => {
      if (request.url === '/api/overview') {
        read++;
        response.end(JSON.stringify({ ...LISTS, position: `${read}.1` }));
        return;
      }
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(`id: 0.1\nevent: open\ndata: {"resumed":${request.headers['last-event-id'] === '2.1'}}\n\n`);
    });
    await until(() => states.includes('live'));
    expect(read).to.equal(2);
  });

  it('ends when its key is not accepted any more', async () => {
    let accepted = true;
    const { states, ended, error, watching } = await follow((request, response) => {
      if (!accepted) return refusal(401, 'unknown API key')(request, response);
      streaming((open) => {
        accepted = false;
        open.end();
      })(request, response);
    });
    await ended;
    expect(error()!.code).to.equal('DAEMON_REFUSED');
    expect(states.at(-1)).to.equal('refused');
    expect(watching.connection.problem).to.include('unknown API key');
  });

  it('survives what a proxy answers while the daemon restarts', async () => {
    let asked = 0;
    const { states, error } = await follow((request, response) => {
      asked++;
      if (asked === 3) return refusal(502, 'bad gateway')(request, response);
      if (asked === 4) return response.writeHead(404).end('<html>no such site</html>');
      streaming((open) => void (asked < 3 && open.end()))(request, response);
    });
    await until(() => asked > 4 && states.at(-1) === 'live');
    expect(error()).to.equal(null);
  });
});

describe('the address of a daemon', () => {
  const place = (address: string) => new DaemonClient(address, null).place;

  it('may be that of its cockpit, and have a path', () => {
    expect(place('http://127.0.0.1:8766/')).to.equal('http://127.0.0.1:8766');
    expect(place('https://ops.example.com/lukhas/')).to.equal('https://ops.example.com/lukhas');
    expect(place('https://ops.example.com/lukhas/cockpit.html')).to.equal('https://ops.example.com/lukhas');
    expect(place('http://127.0.0.1:8766/cockpit.html#/canary/c-m8k2x0')).to.equal('http://127.0.0.1:8766');
  });

  it('is refused in one line where it is none, or holds a key', () => {
    for (const [address, words] of [
      ['127.0.0.1:8766', /--url: .*http:\/\//],
      ['ftp://host', /--url: must start with http/],
      ['http://me:secret-word@host', /--url: contains a user name or password.*LUKHAS_API_KEY/],
      ['http://host?key=secret-word', /--url: contains .*LUKHAS_API_KEY/],
      ['http://host/#x', /--url: must not have/],
    ] as const) {
      const refused = () => place(address);
      expect(refused, address).to.throw(LukhasError, words);
      expect(refused, address).to.throw(/^(?!.*secret-word).*$/);
    }
  });

  it('says whether a key would go there unprotected', () => {
    const tells = (address: string, key: string | null) => new DaemonClient(address, key).tellsKey;
    expect(tells('http://127.0.0.1:8766', KEY)).to.equal(false);
    expect(tells('http://localhost:8766', KEY)).to.equal(false);
    expect(tells('https://ops.example.com', KEY)).to.equal(false);
    expect(tells('http://ops.example.com', null)).to.equal(false);
    expect(tells('http://ops.example.com', KEY)).to.equal(true);
  });

  it('takes no key that a header cannot hold, and does not repeat it', () => {
    for (const key of ['two words', 'line\nbreak'])
      expect(() => new DaemonClient('http://127.0.0.1:1', key)).to.throw(/^(?!.*(words|break)).*LUKHAS_API_KEY/s);
  });
});
