import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { faketime, stepClock } from '../e2e/faketime.js';
import { counting, serve as servePage } from '../e2e/metrics-page.js';
import { brief, checkOrphans, checkWorld } from './checks.js';
import type { Tally } from './tally.js';
import type { Running, World } from './world.js';

const KILLS = 3;
const TRIALS = 12;
/** The longest that a daemon works before it is killed. */
const MOST_MS = 5500;
/** By how much the wall clock is stepped, in seconds. */
const STEPS = ['+600', '-600', '+7200', '-30'];
/** Time for everything that was begun to end once nobody is killed any more. */
const SETTLED_MS = 60_000;

/** Daemons that are killed again and again while they work. */
export function killTrials(tally: Tally, template: World, random: () => number): (() => Promise<boolean>)[] {
  // More of them early, while the daemon is being asked, than later.
  const moment = () => random() ** 2 * MOST_MS;
  const moments = Array.from({ length: TRIALS }, () => Array.from({ length: KILLS }, moment));
  return moments.map((some) => () => withWork(template, (world, page) => killedAt(tally, world, page, some)));
}

/** Daemons whose wall clock is stepped while they work and another one starts. */
export function clockTrials(tally: Tally, template: World): (() => Promise<boolean>)[] {
  return STEPS.map((step) => () => withWork(template, (world, page) => stepped(tally, world, page, step)));
}

interface Pages {
  good: string;
  bad: string;
}

async function withWork(template: World, run: (world: World, pages: Pages) => Promise<boolean>): Promise<boolean> {
  const world = template.copy();
  const [good, bad] = [await servePage(counting(2000, 0.001)), await servePage(counting(2000, 0.2))];
  try {
    return await run(world, { good: good.url, bad: bad.url });
  } finally {
    await world.remove();
    await Promise.all([good.close(), bad.close()]);
  }
}

/** What a client was told has begun: id, and how it has to end. */
type Acknowledged = Map<string, RegExp>;

/** @returns false when every daemon was killed before it had acknowledged anything */
async function killedAt(tally: Tally, world: World, pages: Pages, moments: readonly number[]): Promise<boolean> {
  const where = `daemon killed after ${moments.map((ms) => Math.round(ms)).join(', ')} ms`;
  const told: Acknowledged = new Map();
  for (const ms of moments) {
    const daemon = await startDaemon(world);
    let isKilled = false;
    // What a daemon that is killed does not answer any more is no fault of it; before that, everything is.
    const problem = begin(world, daemon, pages, told).then(
      () => null,
      (error: Error) => (isKilled ? null : error),
    );
    await wait(ms);
    isKilled = true;
    daemon.running.child.kill('SIGKILL');
    await daemon.running.ended;
    const error = await problem;
    if (error !== null) throw error;
  }
  return settle(tally, world, where, told);
}

async function stepped(tally: Tally, world: World, pages: Pages, step: string): Promise<boolean> {
  const where = `clock stepped by ${step} s`;
  const clock = join(world.dir, 'clock');
  const env = faketime(clock);
  const told: Acknowledged = new Map();
  const first = await startDaemon(world, env);
  await begin(world, first, pages, told);
  await wait(1500);
  stepClock(clock, step);
  const second = await startDaemon(world, env);
  // While the canaries end, and their hooks are called.
  await wait(9000);
  for (const { running } of [second, first]) {
    running.child.kill('SIGTERM');
    const ended = await running.ended;
    if (ended.code !== 143)
      tally.fault('wrong exit code', `${where}, serve after SIGTERM: ${ended.code}: ${brief(ended)}`);
  }
  const { stdout } = await world.run(['job', 'list', '--json']);
  // The first daemon lived as long as its jobs did.
  if (/"reason": "(lost|exit)"/.test(stdout))
    tally.fault('acknowledged loss', `${where}: a living daemon's job: ${stdout}`);
  return settle(tally, world, where, told);
}

/**
 * Lets a daemon that nobody disturbs finish what was begun, then checks everything.
 * @returns whether anything had been acknowledged
 */
async function settle(tally: Tally, world: World, where: string, told: Acknowledged): Promise<boolean> {
  const daemon = await startDaemon(world);
  const state = async (id: string) => {
    const { stdout } = await world.run([id.startsWith('c-') ? 'canary' : 'job', 'status', id, '--json']);
    return /"status": "([A-Za-z_]+)"/.exec(stdout)?.[1] ?? `unknown: ${stdout}`;
  };
  const open = new Map(told);
  for (const until = Date.now() + SETTLED_MS; open.size > 0 && Date.now() < until; await wait(300))
    for (const [id, wanted] of open) if (wanted.test(await state(id))) open.delete(id);
  for (const id of open.keys()) tally.fault('acknowledged loss', `${where}: ${id} is ${await state(id)}`);
  daemon.running.child.kill('SIGTERM');
  const ended = await daemon.running.ended;
  if (ended.code !== 143)
    tally.fault('wrong exit code', `${where}, serve after SIGTERM: ${ended.code}: ${brief(ended)}`);
  await checkOrphans(tally, where, world);
  await checkWorld(tally, where, world);
  return told.size > 0;
}

interface Daemon {
  running: Running;
  url: string;
}

async function startDaemon(world: World, env: Record<string, string> = {}): Promise<Daemon> {
  const running = world.start(['serve', '--port', '0'], [], env);
  for (;;) {
    const url = /listening on (http:\/\/[^\s;]+)/.exec(running.stderr())?.[1];
    if (url !== undefined) return { running, url };
    if (running.child.exitCode !== null) throw new Error(`serve ended: ${running.stderr()}`);
    await wait(30);
  }
}

/** Asks the daemon for a job and writes two canaries for it into the log, and notes what was answered. */
async function begin(world: World, daemon: Daemon, pages: Pages, told: Acknowledged): Promise<void> {
  const job = await call(daemon, 'run_eval', { taskId: 'short' });
  told.set(String(job['jobId']), /^(completed|failed)$/);
  for (const [page, end] of [
    [pages.good, /^PROMOTED$/],
    [pages.bad, /^ROLLED_BACK$/],
  ] as const) {
    const model = `m-${told.size}-${Date.now()}`;
    const names = [
      '--model',
      model,
      '--from',
      'stage',
      '--to',
      'production',
      '--canary-url',
      page,
      '--allow-shared-series',
    ];
    const policy = ['--max-error-rate', '0.02', '--window', '4s', '--detach', '--json'];
    const ended = await world.run(['canary', 'start', ...names, ...policy]);
    if (ended.code !== 0) throw new Error(`canary start --detach: ${brief(ended)}`);
    const started = JSON.parse(ended.stdout) as { canaryId: string };
    told.set(started.canaryId, end);
  }
}

async function call(daemon: Daemon, name: string, args: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${daemon.url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
  const { result } = (await response.json()) as { result: { content: { text: string }[]; isError?: boolean } };
  if (result.isError) throw new Error(result.content[0]?.text);
  return JSON.parse(result.content[0]?.text ?? '{}') as Record<string, unknown>;
}
