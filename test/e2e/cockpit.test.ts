import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Running, Workspace } from './lukhas.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const KEY = 'a-key-of-some-length';
const WIDTHS = [360, 768, 1440];
const SCHEMES = ['light', 'dark'] as const;
const FITS = 'document.documentElement.scrollWidth <= innerWidth + 1';
const ERROR_RATE = '#what-if-max_error_rate';
const SLIDER = `document.querySelector('${ERROR_RATE}')`;

/** What the page did that it must not do. */
interface Seen {
  console: string[];
  foreign: string[];
}

describe('the cockpit in a browser', function () {
  this.timeout(240_000);
  let w: Workspace;
  let daemon: Running;
  let url: string;
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    daemon.child.kill('SIGTERM');
    await daemon.finished;
    await w.remove();
  });

  async function up(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    w = new Workspace();
    daemon = w.start(['serve', '--port', '0', ...args], { env });
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    url = /listening on (http:\/\/[\d.]+:\d+)/.exec(said)![1]!;
  }

  async function open(fragment = '', width = 1280, scheme: (typeof SCHEMES)[number] = 'light') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    const seen: Seen = { console: [], foreign: [] };
    page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => seen.console.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) seen.foreign.push(request.url());
    });
    await page.goto(`${url}/${fragment}`);
    return { page, seen };
  }

  function quiet({ console: said, foreign }: Seen): void {
    expect(said).to.deep.equal([]);
    expect(foreign).to.deep.equal([]);
  }

  /** Only errors can decide it: on a busy machine the demo is slow. */
  async function start(windowSeconds: number): Promise<string> {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'start_canary',
        arguments: {
          modelId: 'fraud-v2',
          fromGate: 'stage',
          toGate: 'production',
          windowSeconds,
          targets: { latency_p95_ms: 5000, max_error_rate: 0.02 },
        },
      },
    };
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { result } = (await answer.json()) as { result: { content: { text: string }[] } };
    return (JSON.parse(result.content[0]!.text) as { canaryId: string }).canaryId;
  }

  async function accessible(page: Page, where: string): Promise<void> {
    await page.evaluate(AXE);
    const found = (await page.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 120)))",
    )) as string[];
    expect(found, where).to.deep.equal([]);
    expect(await page.evaluate(FITS), `${where} is too wide`).to.equal(true);
  }

  it('shows a canary from its start to its rollback, why, and what other targets would decide', async () => {
    await up(['--demo', '--demo-fault', 'errors']);
    const { page, seen } = await open();
    expect(page.url()).to.equal(`${url}/cockpit.html`);
    await page.getByText('No canary yet').waitFor();
    const id = await start(120);
    await page.getByRole('link', { name: 'fraud-v2' }).waitFor();
    await page.locator('.badge', { hasText: 'ROLLED BACK' }).first().waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'fraud-v2' }).click();
    await page.getByText('recorded checks are those that were judged').waitFor();
    expect(page.url()).to.equal(`${url}/cockpit.html#/canary/${id}`);
    const why = (await w.run(['why', id])).stdout;
    const told = await page.innerText('main');
    for (const sentence of [...why.matchAll(/^ {2}- (.{20,60}?)[.,:]/gm)].slice(0, 5))
      expect(told).to.include(sentence[1]!.slice(0, 20));

    // The slider over the flip point: the very value that the replay finds.
    await page
      .locator('.knob', { has: page.locator(ERROR_RATE) })
      .getByRole('button')
      .click();
    const flip = page.locator('.flip').first();
    await flip.waitFor();
    const [below, above] = [
      Number(await flip.getAttribute('data-below')),
      Number(await flip.getAttribute('data-above')),
    ];
    const sweep = await w.json(['replay', '--canary', id, '--sweep', `targets.max_error_rate=${below},${above}`]);
    const points = JSON.stringify(sweep);
    expect(points).to.include(`"below":${below}`).and.include(`"above":${above}`);
    await page.evaluate(`${SLIDER}.value = 0; ${SLIDER}.dispatchEvent(new Event('input'))`);
    const first = await page.innerText('.answer');
    await page.evaluate(`${SLIDER}.value = ${SLIDER}.max; ${SLIDER}.dispatchEvent(new Event('input'))`);
    expect(await page.innerText('.answer')).to.not.equal(first);
    quiet(seen);
  });

  it('aborts a canary with a reason, which the log keeps', async () => {
    await up(['--demo']);
    const id = await start(600);
    const { page, seen } = await open(`cockpit.html#/canary/${id}`);
    await page.getByRole('button', { name: 'Abort' }).click();
    await page.getByLabel('Reason').fill('the wrong <b>build</b>');
    await page.locator('dialog').getByRole('button', { name: 'Abort' }).click();
    await page.locator('.badge', { hasText: 'ABORTED' }).first().waitFor();
    expect((await w.json(['canary', 'status', id]))['status']).to.equal('ABORTED');
    expect(await page.locator('main b').count()).to.equal(0);
    quiet(seen);
  });

  it('asks for a key where the daemon has keys, and lets out again', async () => {
    await up(['--demo'], { LUKHAS_MCP_API_KEYS: KEY });
    const { page, seen } = await open();
    await page.getByLabel('API key').fill('not-the-right-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('unknown API key').waitFor();
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No canary yet').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(seen.foreign).to.deep.equal([]);
    // The browser itself reports the answer to the wrong key.
    expect(seen.console.filter((line) => !line.includes('401'))).to.deep.equal([]);
    expect(
      await page.evaluate('JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])'),
    ).to.equal('[0,0,""]');
  });

  it('comes back after the daemon was away, and never shows old things as live', async () => {
    await up(['--demo']);
    const port = new URL(url).port;
    const { page } = await open();
    await page.getByText('No canary yet').waitFor();
    daemon.child.kill('SIGKILL');
    await daemon.finished;
    await page.locator('.banner').waitFor();
    expect(await page.innerText('.heard')).to.not.include('live');
    daemon = w.start(['serve', '--demo', '--port', port]);
    await daemon.says(/listening on/);
    await start(600);
    await page.getByRole('link', { name: 'fraud-v2' }).waitFor();
    expect(await page.locator('.banner').isHidden()).to.equal(true);
  });

  it('can be used by everybody: no finding of axe, in both themes, from 360 to 1440 pixels', async () => {
    await up(['--demo', '--demo-fault', 'errors']);
    const id = await start(120);
    for (const scheme of SCHEMES)
      for (const width of WIDTHS) {
        const { page, seen } = await open('', width, scheme);
        await page.locator('.badge', { hasText: 'ROLLED BACK' }).first().waitFor({ timeout: 120_000 });
        await accessible(page, `overview ${scheme} ${width}`);
        await page.goto(`${url}/cockpit.html#/canary/${id}`);
        await page.getByText('recorded checks are those').waitFor();
        await accessible(page, `canary ${scheme} ${width}`);
        quiet(seen);
        await page.close();
      }
  });
});
