import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PEER = fileURLToPath(new URL('sse-peer.c', import.meta.url));
const SERVER = fileURLToPath(new URL('sse-server.ts', import.meta.url));
const NCHAN = ['/usr/lib/nginx/modules/ngx_nchan_module.so', '/usr/share/nginx/modules/ngx_nchan_module.so'];
const BYTES = 300;
const TICKS_A_SECOND = 100;
/** Where each contender runs; the client, and what publishes to nginx, have the other core. */
const [SERVER_CORE, CLIENT_CORE] = ['0', '1'];

/** A server that is ready to be connected to. */
interface Running {
  port: number;
  path: string;
  /** The process whose time and memory count. */
  pid: number;
  publish(): Promise<void>;
  stop(): Promise<void>;
}

interface Cell {
  clients: number;
  rate: number;
  seconds: number;
}

interface Result {
  received: number;
  lost: number;
  twice: number;
  p50: number;
  p99: number;
  seconds: number;
  /** Server's processor time, microseconds for each event delivered. */
  cpuUs: number;
  rssMb: number;
}

type Contender = (cell: Cell, folder: string) => Promise<Running>;

/**
 * Fan-out of server-sent events: subscribers of one topic, ours beside nginx with nchan and a floor in C that does
 * nothing but send. Options: `--clients 1000,10000 --rates 10,100 --seconds 10 --rounds 1`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '1000,10000' },
      rates: { type: 'string', default: '10,100' },
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '1' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  try {
    const peer = join(folder, 'sse-peer');
    if (spawnSync('gcc', ['-O2', '-o', peer, PEER], { stdio: 'inherit' }).status !== 0)
      throw new Error('the client and the floor are C programs: install gcc');
    const contenders = available();
    console.log('events of about 300 bytes, one topic; server on one core, client on the other\n');
    print(['clients', 'events/s', 'contender', 'lost', 'twice', 'p50 ms', 'p99 ms', 'delivered/s', 'cpu us', 'RSS MB']);
    for (const clients of numbers(values.clients))
      for (const rate of numbers(values.rates))
        for (let round = 0; round < Number(values.rounds); round++)
          for (const [name, contender] of contenders) {
            const cell = { clients, rate, seconds: Number(values.seconds) };
            report(name, cell, await measure(contender, cell, folder, peer));
          }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function available(): [string, Contender][] {
  const list: [string, Contender][] = [
    ['floor', startFloor],
    ['lukhas', startOurs],
  ];
  if (NCHAN.some((file) => existsSync(file)) && spawnSync('nginx', ['-v']).status === 0)
    list.push(['nchan', startNchan]);
  else console.log('nginx with nchan is not installed (Debian: nginx, libnginx-mod-nchan): left out\n');
  return list;
}

async function measure(contender: Contender, cell: Cell, folder: string, peer: string): Promise<Result> {
  const server = await contender(cell, folder);
  const events = cell.rate * cell.seconds;
  const child = pinned(CLIENT_CORE, peer, ['client', server.port, cell.clients, server.path, events].map(String));
  try {
    await line(child);
    await wait(1000);
    const before = await ticks(server.pid);
    const answer = line(child);
    await server.publish();
    const result = JSON.parse(await answer) as Omit<Result, 'cpuUs' | 'rssMb'>;
    const spent = (await ticks(server.pid)) - before;
    const cpuUs = (spent / TICKS_A_SECOND / result.received) * 1e6;
    return { ...result, cpuUs, rssMb: await rss(server.pid) };
  } finally {
    child.kill('SIGKILL');
    await server.stop();
  }
}

async function startFloor({ rate, seconds }: Cell, folder: string): Promise<Running> {
  const child = pinned(SERVER_CORE, join(folder, 'sse-peer'), ['floor', '0', rate, seconds, BYTES].map(String));
  return running(child, Number(await line(child)), '/');
}

async function startOurs({ rate, seconds }: Cell): Promise<Running> {
  const args = ['--import', 'tsx', SERVER, String(rate), String(seconds)];
  const child = pinned(SERVER_CORE, process.execPath, args);
  return running(child, Number(await line(child)), '/sse?topic=metrics');
}

function running(child: ChildProcess, port: number, path: string): Running {
  return {
    port,
    path,
    pid: child.pid as number,
    publish: async () => void child.stdin?.write('go\n'),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function startNchan(cell: Cell, folder: string): Promise<Running> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(config, nginxConfig(port, folder));
  const child = pinned(SERVER_CORE, 'nginx', ['-c', config, '-p', folder, '-e', join(folder, 'error.log')]);
  await wait(500);
  // The master's only worker does the work.
  const pid = Number(execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).trim());
  return {
    port,
    path: '/sub',
    pid,
    publish: () => publishOverHttp(port, cell),
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function nginxConfig(port: number, folder: string): string {
  return `load_module ${NCHAN.find((file) => existsSync(file))};
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${folder}/nginx.pid; user root;
events { worker_connections 16000; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  nchan_shared_memory_size 256M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /pub { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 20000; keepalive_requests 1000000; }
    location = /sub { nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }
  }
}
`;
}

/** One event after another on one connection, stamped with the time at which it was due. */
async function publishOverHttp(port: number, { rate, seconds }: Cell): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const start = Number(process.hrtime.bigint() / 1000n);
  for (let i = 0; i < rate * seconds; i++) {
    const due = start + Math.round((i * 1e6) / rate);
    const early = due - Number(process.hrtime.bigint() / 1000n);
    if (early > 0) await wait(early / 1000);
    const head = `{"canaryId":"b-${i}-${due}-","pad":"`;
    await post(agent, port, `${head}${'0'.repeat(BYTES - 40 - head.length)}"}`);
  }
  agent.destroy();
}

function post(agent: Agent, port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, host: '127.0.0.1', path: '/pub', method: 'POST' }, (response) => {
      response.resume().once('end', resolve);
    });
    sent.once('error', reject).end(body);
  });
}

function pinned(core: string, command: string, args: readonly string[]): ChildProcess {
  return spawn('taskset', ['-c', core, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function line(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout!, 'data')) as [Buffer];
  return text.toString().trim();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** User and system time in clock ticks: proc(5), fields 14 and 15, counted behind the name. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function rss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function report(name: string, { clients, rate }: Cell, result: Result): void {
  const { lost, twice, p50, p99, received, seconds, cpuUs, rssMb } = result;
  const speed = Math.round(received / Math.max(seconds, 0.001)).toLocaleString('en');
  const numbersOf = [p50.toFixed(1), p99.toFixed(1), speed, cpuUs.toFixed(1), rssMb.toFixed(0)];
  print([String(clients), String(rate), name, String(lost), String(twice), ...numbersOf]);
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell) => cell.padStart(11)).join(' '));
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}
