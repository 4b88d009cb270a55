import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const SHOWN = 10_000;
const ALL = 'from=2000-01-01T00:00:00Z';
/** Entries that another process appends at once; streams end there. */
const APPENDED = 9000;

export interface Work {
  name: string;
  run(): Promise<void>;
}

interface Place {
  url: string;
  db: string;
  home: string;
  /** Entries of the log. */
  size: number;
  /** Appends jobs from this process. */
  append(first: number, count: number): Promise<void>;
}

/** What the daemon is asked for, or meets with, in the order in which it is measured. */
export function works(place: Place): Work[] {
  const { url, db, size } = place;
  const tool = (name: string, args: object = {}) => call(url, name, args);
  const get = async (path: string) => void (await drain(`${url}${path}`));
  let appended = 0;
  return [
    { name: 'nothing', run: () => wait(1000) },
    { name: 'search index from zero', run: () => indexAnew(db) },
    { name: 'verify_log', run: () => tool('verify_log') },
    {
      name: 'four clients: verify_log',
      run: () => all([1, 2, 3, 4].map(() => tool('verify_log').catch(() => undefined))),
    },
    { name: 'export of everything', run: () => get(`/evidence/export?${ALL}`) },
    { name: 'export of two models', run: () => get(`/evidence/export?${ALL}&model=model-1&model=model-9`) },
    {
      name: 'promote_model, dry run',
      run: () => tool('promote_model', { modelId: 'model-0', gate: 'eu', dryRun: true }),
    },
    { name: 'search: a word of every job', run: () => tool('search', { query: 'evaluate accuracy', limit: 50 }) },
    { name: 'search: short beginnings', run: () => tool('search', { query: 'e* c* j* m*', limit: 50 }) },
    { name: 'fetch of a gate', run: () => tool('fetch', { id: 'gate:production' }) },
    { name: 'fetch of canary:c', run: () => tool('fetch', { id: 'canary:c' }) },
    { name: 'fetch of model-0', run: () => tool('fetch', { id: 'model:model-0' }) },
    { name: 'why model-0', run: () => tool('why', { id: 'model-0' }) },
    { name: 'why c-', run: () => tool('why', { id: 'c-' }) },
    { name: 'why j-', run: () => tool('why', { id: 'j-' }) },
    { name: 'why_math model-0', run: () => tool('why_math', { id: 'model-0' }) },
    { name: 'list_canaries', run: () => tool('list_canaries', { limit: 100 }) },
    { name: 'status of j-', run: () => tool('status', { jobId: 'j-' }) },
    { name: 'canary_status of c-', run: () => tool('canary_status', { canaryId: 'c-' }) },
    { name: 'policy resource', run: () => rpc(url, 'resources/read', { uri: 'lukhas://policy/000000' }) },
    { name: 'completion of canary ids', run: () => complete(url) },
    { name: 'job: probe', run: () => probeJob(url) },
    { name: '/health', run: () => get('/health') },
    { name: '/metrics', run: () => get('/metrics') },
    { name: 'event stream from entry 0', run: () => stream(url, size) },
    {
      name: `${APPENDED} entries from elsewhere`,
      async run() {
        await place.append(1_000_000 + appended, APPENDED / 3);
        appended += APPENDED / 3;
      },
    },
    { name: 'db rebuild elsewhere', run: () => rebuild(place) },
  ];
}

/** Until the daemon, which looks every 5 s, has indexed everything. */
export async function untilIndexed(db: string): Promise<void> {
  const ledger = await openLedger(db);
  try {
    while ((await ledger.documents.state()).seq < (await ledger.size())) await wait(250);
  } finally {
    await ledger.close();
  }
}

async function indexAnew(db: string): Promise<void> {
  const ledger = await openLedger(db);
  await ledger.documents.clear();
  await ledger.close();
  await untilIndexed(db);
}

async function rebuild({ db, home }: Place): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, 'db', 'rebuild', '--db', db], {
    stdio: 'ignore',
    env: { ...env, XDG_CONFIG_HOME: home, HOME: home },
    cwd: home,
  });
  await once(child, 'exit');
}

async function all(calls: readonly Promise<void>[]): Promise<void> {
  await Promise.all(calls);
}

function call(url: string, name: string, args: object): Promise<void> {
  return rpc(url, 'tools/call', { name, arguments: args });
}

function complete(url: string): Promise<void> {
  const ref = { type: 'ref/resource', uri: 'lukhas://canary/{id}' };
  return rpc(url, 'completion/complete', { ref, argument: { name: 'id', value: 'c' } });
}

/** Until it has ended. */
async function probeJob(url: string): Promise<void> {
  const running = '"status":"(queued|running)"';
  const started = await drain(
    `${url}/mcp`,
    message('tools/call', { name: 'run_eval', arguments: { taskId: 'probe' } }),
  );
  const jobId = /j-[0-9a-z]+/.exec(started)?.[0];
  const status = message('tools/call', { name: 'status', arguments: { jobId } });
  while (new RegExp(running).test((await drain(`${url}/mcp`, status)).replaceAll('\\', ''))) await wait(100);
}

function message(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
}

/** Whatever is answered: an id that nothing has is an answer too. */
async function rpc(url: string, method: string, params: object): Promise<void> {
  await drain(`${url}/mcp`, message(method, params));
}

/** @returns the beginning of the answer */
function drain(url: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const sent = request(url, body === undefined ? {} : { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (part: string) => {
        if (text.length < SHOWN) text += part;
      });
      response.once('end', () => resolve(text)).once('error', reject);
    });
    sent.once('error', reject).end(body);
  });
}

/** All topics from the first entry on, until the one before `size` has come. */
function stream(url: string, size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/sse?topic=jobs&topic=canaries&topic=gates`,
      { headers: { 'Last-Event-ID': '0.0' } },
      (response) => {
        let rest = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          const lines = `${rest}${text}`.split('\n');
          rest = lines.pop() ?? '';
          const last = lines.findLast((line) => line.startsWith('id:'));
          if (last !== undefined && Number(/^id: ?(\d+)/.exec(last)?.[1]) >= size - 1) sent.destroy();
        });
        response.once('close', resolve);
      },
    );
    sent.once('error', (error) => (sent.destroyed ? resolve() : reject(error))).end();
  });
}
