import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { idOf } from './cockpit/events.js';
import { type Stub, startStub } from './cockpit/stub.js';

const PAGE = fileURLToPath(new URL('../assets/cockpit.html', import.meta.url));
const KB = 1000;

/**
 * The cockpit's page in Chromium before a stand-in for the daemon: size, time to the first rows of 500 canaries beside an empty
 * page, longest task while each of them emits 10 events a second, memory, and one canary with many checks. Options:
 * `--canaries 500 --rate 10 --seconds 20 --rounds 5 --minutes 0 --chromium /usr/bin/chromium`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      canaries: { type: 'string', default: '500' },
      rate: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '5' },
      minutes: { type: 'string', default: '0' },
      chromium: { type: 'string', default: '/usr/bin/chromium' },
    },
  });
  const [canaries, rate] = [Number(values.canaries), Number(values.rate)];
  size();
  const stub = await startStub(PAGE, canaries);
  const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox'] });
  try {
    await paint(browser, stub, canaries, Number(values.rounds));
    await tasks(browser, stub, canaries * rate, Number(values.seconds));
    for (const checks of [720, 3600]) await one(browser, stub, checks);
    if (Number(values.minutes) > 0) await memory(browser, stub, canaries * rate, Number(values.minutes));
  } finally {
    await browser.close();
    await stub.stop();
  }
}

function size(): void {
  const bytes = readFileSync(PAGE);
  const zipped = gzipSync(bytes, { level: 9 }).length;
  const kb = (n: number) => `${(n / KB).toFixed(1)} kB`;
  console.log(`size: ${kb(bytes.length)}, gzip ${kb(zipped)}, brotli ${kb(brotliCompressSync(bytes).length)}`);
}

/** The paint after the first paragraph of an empty page, and after the first row, by the same measure, in turns. */
async function paint(browser: Browser, stub: Stub, canaries: number, rounds: number): Promise<void> {
  const times: Record<'empty' | 'page', number[]> = { empty: [], page: [] };
  for (let i = 0; i < rounds + 1; i++) {
    for (const [name, path] of [
      ['empty', '/empty.html'],
      ['page', '/cockpit.html'],
    ] as const) {
      const page = await (await browser.newContext()).newPage();
      await page.addInitScript(WATCH);
      await page.goto(`${stub.url}${path}`);
      await page.waitForFunction('window.shownAt !== undefined');
      const at = (await page.evaluate('window.shownAt')) as number;
      // The first of each is to warm up.
      if (i > 0) times[name].push(at);
      await page.context().close();
    }
  }
  const [empty, shown] = [median(times.empty), median(times.page)];
  console.log(
    `first rows of ${canaries} canaries: ${ms(shown)}, empty page ${ms(empty)} (${(shown / empty).toFixed(1)}x), medians of ${rounds}`,
  );
}

async function tasks(browser: Browser, stub: Stub, perSecond: number, seconds: number): Promise<void> {
  const page = await opened(browser, stub, '');
  await page.waitForSelector('tr[data-id]');
  stub.emit(perSecond);
  await wait(2000);
  const before = stub.sent();
  const seen = await traced(browser, page, seconds);
  const sent = (stub.sent() - before) / seconds;
  const behind = (await page.evaluate("document.querySelector('.heard').textContent")) as string;
  stub.emit(0);
  console.log(`${Math.round(sent)} events/s for ${seconds} s: ${told(seen)}; the page says "${behind}"`);
  await page.context().close();
}

/** One canary with many checks: opened, then one check more each second. */
async function one(browser: Browser, stub: Stub, checks: number): Promise<void> {
  stub.grow(checks);
  const page = await opened(browser, stub, 'about:blank');
  const seen = await traced(browser, page, 8, async () => {
    // Nothing is asked of the page meanwhile: its answers would be tasks, too.
    await page.goto(`${stub.url}/cockpit.html#/canary/${idOf(0)}`);
  });
  const more = await traced(
    browser,
    page,
    10,
    () => undefined,
    () => stub.grow(++checks),
  );
  console.log(`one canary, ${checks} checks: opening, ${told(seen)}; a check more each second, ${told(more)}`);
  await page.context().close();
}

async function memory(browser: Browser, stub: Stub, perSecond: number, minutes: number): Promise<void> {
  const page = await opened(browser, stub, '');
  const session = await page.context().newCDPSession(page);
  stub.emit(perSecond);
  const used: number[] = [];
  for (let i = 0; i <= minutes; i++) {
    await wait(i === 0 ? 10_000 : 60_000);
    await session.send('HeapProfiler.collectGarbage');
    used.push(((await session.send('Runtime.getHeapUsage')) as { usedSize: number }).usedSize / 1e6);
  }
  stub.emit(0);
  console.log(`heap after 10 s, then each minute: ${used.map((mb) => mb.toFixed(1)).join(', ')} MB`);
  await page.context().close();
}

const WATCH = `new MutationObserver((_, observer) => {
  if (document.querySelector('tr[data-id], #empty') === null) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.shownAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true });`;

async function opened(browser: Browser, { url }: Stub, path: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(path === '' ? `${url}/cockpit.html` : path);
  return page;
}

interface Tasks {
  /** Ms of the longest ones, by the clock and in processor time. */
  longest: number;
  longestCpu: number;
  over50: number;
  /** Share of the time that the page's thread was busy. */
  busy: number;
}

/** Tasks of the page's main thread, as Chromium traces them. */
async function traced(
  browser: Browser,
  page: Page,
  seconds: number,
  first: () => unknown = () => undefined,
  eachSecond: () => unknown = () => undefined,
): Promise<Tasks> {
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'],
  });
  await first();
  for (let i = 0; i < seconds; i++) {
    eachSecond();
    await wait(1000);
  }
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}.${tid}`),
  );
  const runs = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === 'X' && name === 'RunTask' && threads.has(`${pid}.${tid}`),
  );
  const most = (of: (event: TraceEvent) => number) => runs.reduce((a, event) => Math.max(a, of(event)), 0) / 1000;
  return {
    longest: most(({ dur = 0 }) => dur),
    longestCpu: most(({ tdur = 0 }) => tdur),
    over50: runs.filter(({ dur = 0 }) => dur > 50_000).length,
    busy: runs.reduce((sum, { dur = 0 }) => sum + dur, 0) / (seconds * 1e6),
  };
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

function told({ longest, longestCpu, over50, busy }: Tasks): string {
  return `longest task ${ms(longest)} (${ms(longestCpu)} of processor time), ${over50} over 50 ms, thread busy ${Math.round(busy * 100)}%`;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
