// Makes the pictures of README.md and docs/gallery.md from `lukhas serve --demo`: pages in Chromium, terminals in tmux.
//   npm run pictures            all of them, into docs/pictures
//   npm run pictures -- page    of the page alone; `terminal`: of the terminal alone
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { htmlOfScreen } from './pictures/screen.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const lukhas = join(root, 'bin/run.js');
const out = join(root, 'docs/pictures');
const parts = new Set(process.argv.length > 2 ? process.argv.slice(2) : ['page', 'terminal']);

const place = mkdtempSync(join(tmpdir(), 'lukhas-'));
const env = { PATH: process.env.PATH, HOME: place, LUKHAS_DB: join(place, 'lukhas.db'), LANG: 'C.UTF-8' };
const PORT = 8766;
const URL_ = `http://127.0.0.1:${PORT}`;

const run = (...args) => execFileSync(process.execPath, [lukhas, ...args], { cwd: place, env, encoding: 'utf8' });
const tmux = (...args) => execFileSync('tmux', ['-L', 'lukhas-pictures', ...args], { env, encoding: 'utf8' });

/** Asks again until there is an answer. */
async function until(what, ask) {
  for (let i = 0; i < 600; i++) {
    const answer = await ask();
    if (answer) return answer;
    await wait(200);
  }
  throw new Error(`waited in vain for ${what}`);
}

async function serve(...args) {
  const child = spawn(process.execPath, [lukhas, 'serve', '--demo', '--port', String(PORT), ...args], {
    cwd: place,
    env,
    stdio: 'ignore',
  });
  await until('the daemon', () =>
    fetch(`${URL_}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return async () => {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  };
}

async function tool(name, input) {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } };
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${URL_}/mcp`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { result } = await answer.json();
  if (result.isError) throw new Error(result.content[0].text);
  return JSON.parse(result.content[0].text);
}

const start = (windowSeconds) =>
  tool('start_canary', {
    modelId: 'fraud-v2',
    fromGate: 'stage',
    toGate: 'production',
    windowSeconds,
    targets: { latency_p95_ms: 250, max_error_rate: 0.02 },
  }).then(({ canaryId }) => canaryId);

const status = (canaryId) => tool('canary_status', { canaryId }).then((answer) => answer.status);

/** Pictures of the page in both themes. */
async function pages(browser, ids) {
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      deviceScaleFactor: 1,
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const take = async (name, fragment, ready, { whole = false } = {}) => {
      await page.goto('about:blank');
      await page.goto(`${URL_}/cockpit.html${fragment}`);
      await page.locator(ready).first().waitFor();
      await wait(600);
      await page.screenshot({ path: join(out, `${name}-${theme}.png`), fullPage: whole });
    };
    await take('overview', '', '.badge');
    await take('running', `#/canary/${ids.running}`, 'svg');
    await take('canary', `#/canary/${ids.rolledBack}`, 'svg', { whole: true });
    await take('why', `#/canary/${ids.rolledBack}?why`, 'dialog, [role=dialog]');
    await take('start', '#/start?model=fraud-v3&from=stage&to=production', 'form', { whole: true });
    await take('log', '#/log', 'table');
    await context.close();
  }
}

/** Pictures of a terminal: as text, and drawn by the browser. */
async function terminals(browser, ids) {
  const take = async (name, command, ready, rows = 36) => {
    const quoted = [process.execPath, lukhas, ...command].map((word) => `'${word}'`).join(' ');
    tmux('new-session', '-d', '-x', '110', '-y', String(rows), '-c', place, `${quoted}; read _`);
    try {
      await until(name, () => ready.test(tmux('capture-pane', '-p')));
      await wait(600);
      writeFileSync(join(out, `${name}.txt`), `${tmux('capture-pane', '-p').trimEnd()}\n`);
      const page = await browser.newPage({ deviceScaleFactor: 1 });
      await page.setContent(htmlOfScreen(tmux('capture-pane', '-p', '-e').trimEnd(), name));
      await page.locator('main').screenshot({ path: join(out, `${name}.png`) });
      await page.close();
    } finally {
      tmux('kill-server');
    }
  };
  await take('watch', ['watch'], /fraud-v2/);
  await take('watch-canary', ['watch', ids.running], /error_rate/);
  await take('why', ['why', ids.rolledBack], /why-math/, 50);
}

mkdirSync(out, { recursive: true });
let stop = null;
let browser = null;
try {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  run('demo', '--healthy');
  stop = await serve('--demo-fault', 'errors');
  const rolledBack = await start(60);
  await until('a rollback', async () => (await status(rolledBack)) === 'ROLLED_BACK');
  await stop();
  stop = await serve();
  const running = await start(90);
  await wait(45_000);
  const ids = { rolledBack, running };
  if (parts.has('page')) await pages(browser, ids);
  if (parts.has('terminal')) await terminals(browser, ids);
} finally {
  await browser?.close();
  await stop?.();
  rmSync(place, { recursive: true });
}
for (const name of readdirSync(out)) console.log(`${name}  ${Math.round(statSync(join(out, name)).size / 1024)} kB`);
