import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Running, Workspace } from './lukhas.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FITS = 'document.documentElement.scrollWidth <= innerWidth + 1';
/** What the policy of the page forbids is reported as an event, too. */
const REPORTS = "addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective))";

export const WIDTHS = [360, 768, 1440];
export const SCHEMES = ['light', 'dark'] as const;
export type Scheme = (typeof SCHEMES)[number];

/** What the page did that it must not do. */
interface Seen {
  console: string[];
  foreign: string[];
}

export interface Opened {
  page: Page;
  seen: Seen;
}

function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** Gives each test of a suite a daemon of its own, in the browser that they share. */
export function inBrowser(given: (cockpit: Cockpit) => void): void {
  let browser: Browser;
  let cockpit: Cockpit;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  beforeEach(() => {
    cockpit = new Cockpit(browser);
    given(cockpit);
  });
  afterEach(() => cockpit.down());
}

/** A daemon with a workspace of its own, and browsers that open its page. */
export class Cockpit {
  url = '';

  constructor(
    private readonly browser: Browser,
    readonly w: Workspace = new Workspace(),
    public daemon: Running | null = null,
  ) {}

  async up(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const daemon = this.w.start(['serve', '--port', '0', ...args], { env });
    this.daemon = daemon;
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    this.url = /listening on (http:\/\/[\d.]+:\d+)/.exec(said)![1]!;
  }

  async down(): Promise<void> {
    this.daemon?.child.kill('SIGTERM');
    await this.daemon?.finished;
    await this.w.remove();
  }

  /** @param fragment of the address, from the `/` on: `cockpit.html#/start` */
  async open(fragment = '', width = 1280, scheme: Scheme = 'light'): Promise<Opened> {
    const context = await this.browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    await page.addInitScript(REPORTS);
    const seen: Seen = { console: [], foreign: [] };
    page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => seen.console.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(this.url)) seen.foreign.push(request.url());
    });
    await page.goto(`${this.url}/${fragment}`);
    return { page, seen };
  }

  /** Only errors can decide it: on a busy machine the demo is slow. */
  async start(windowSeconds: number): Promise<string> {
    const body = {
      ...{ modelId: 'fraud-v2', fromGate: 'stage', toGate: 'production', windowSeconds },
      targets: { latency_p95_ms: 5000, max_error_rate: 0.02 },
    };
    const answer = await fetch(`${this.url}/api/canary/start`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return ((await answer.json()) as { canaryId: string }).canaryId;
  }
}

/** @param expected parts of what the browser itself reports, such as the status of a refused request */
export function quiet({ console: said, foreign }: Seen, ...expected: string[]): void {
  expect(said.filter((line) => !expected.some((part) => line.includes(part)))).to.deep.equal([]);
  expect(foreign).to.deep.equal([]);
}

export async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE);
  const found = (await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 120)))",
  )) as string[];
  expect(found, where).to.deep.equal([]);
  expect(await page.evaluate(FITS), `${where} is too wide`).to.equal(true);
}
