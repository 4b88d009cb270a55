import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type Browser, chromium } from 'playwright-core';
import { Workspace } from './lukhas.js';

/** Everything that a page can make a browser send to another site. Run in the page, as text: these tests know no types of a browser. */
const ATTACK = (url: string) => `(async () => {
  const outcomes = {};
  const element = (name, tag, attributes) => new Promise((resolve) => {
    const made = document.createElement(tag);
    made.onload = () => { outcomes[name] = 'loaded'; resolve(); };
    made.onerror = () => { outcomes[name] = 'refused'; resolve(); };
    Object.assign(made, attributes);
    document.body.append(made);
  });
  const fetched = (name, path, options) => fetch('${url}' + path, options).then(
    (answer) => { outcomes[name] = answer.type === 'opaque' ? 'unreadable' : 'read'; },
    () => { outcomes[name] = 'refused'; });
  await element('image', 'img', { src: '${url}/evidence/export?from=30d&by=image' });
  await element('script', 'script', { src: '${url}/metrics?by=script' });
  await element('style', 'link', { rel: 'stylesheet', href: '${url}/health?by=style' });
  await fetched('no-cors', '/evidence/export?from=30d&by=no-cors', { mode: 'no-cors' });
  await fetched('head', '/evidence/export?from=30d&by=head', { mode: 'no-cors', method: 'HEAD' });
  await fetched('post', '/mcp?by=post', { mode: 'no-cors', method: 'POST', headers: { 'Content-Type': 'text/plain' },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run_eval","arguments":{"taskId":"probe"}}}' });
  await fetched('cors', '/health?by=cors');
  await fetched('without referrer', '/health?by=silent', { mode: 'no-cors', referrerPolicy: 'no-referrer' });
  await new Promise((resolve) => {
    const events = new EventSource('${url}/sse?topic=jobs&by=events');
    events.onopen = () => { outcomes.events = 'read'; events.close(); resolve(); };
    events.onerror = () => { outcomes.events = 'refused'; events.close(); resolve(); };
  });
  await new Promise((resolve) => {
    const socket = new WebSocket('${url}/sse?topic=jobs&by=socket'.replace('http', 'ws'));
    socket.onopen = () => { outcomes.socket = 'open'; resolve(); };
    socket.onerror = () => { outcomes.socket = 'refused'; resolve(); };
  });
  return outcomes;
})()`;

describe('a daemon without keys, and a page of another site in a browser', () => {
  const w = new Workspace();
  let browser: Browser;
  let evil: Server;
  let url: string;

  before(async () => {
    const daemon = w.start(['serve', '--port', '0']);
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    [, url = ''] = /listening on (http:\/\/[\d.]+:\d+)/.exec(said) ?? [];
    // Something that an export could hold.
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'run_eval', arguments: { taskId: 'probe' } },
    };
    await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(call),
    });
    evil = createServer((request, response) => {
      const html =
        request.url === '/form' ? `<form method="post" enctype="text/plain" action="${url}/mcp?by=form"></form>` : '';
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><title>x</title><body>${html}`);
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    evil?.closeAllConnections();
    evil?.close();
    await w.remove();
  });

  let reads = 0;
  /** The routes answered with 200, and how many requests were refused. */
  async function answered(): Promise<{ own: [string, number][]; refused: number }> {
    const text = await (await fetch(`${url}/metrics`)).text();
    reads++;
    const own: [string, number][] = [];
    let refused = 0;
    for (const [, labels = '', count] of text.matchAll(/^lukhas_http_requests_total\{(.*)\} (\d+)$/gm)) {
      if (labels.includes('status="403"')) refused += Number(count);
      if (labels.includes('status="200"') && count !== '0')
        own.push([/route="([^"]*)"/.exec(labels)?.[1] ?? '', Number(count)]);
    }
    return { own: own.sort(), refused };
  }

  const port = () => (evil.address() as AddressInfo).port;

  for (const [what, host] of [
    ['another site', 'localhost'],
    ['the same site on another port', '127.0.0.1'],
  ] as const)
    it(`loads, reads and starts nothing from ${what}`, async () => {
      const page = await browser.newPage();
      const statuses = new Map<string, number>();
      page.on('response', (response) => {
        const by = response.url().startsWith(url) ? new URL(response.url()).searchParams.get('by') : null;
        if (by !== null) statuses.set(by, response.status());
      });
      await page.goto(`http://${host}:${port()}/`);
      const outcomes = (await page.evaluate(ATTACK(url))) as Record<string, string>;
      expect(Object.keys(outcomes)).to.have.length(10);
      for (const [name, outcome] of Object.entries(outcomes)) expect(outcome, name).to.match(/^(refused|unreadable)$/);
      for (const path of ['/evidence/export?from=30d&by=link', '/metrics?by=link2', '/health?by=link3']) {
        await page.goto(`http://${host}:${port()}/`);
        const by = new URL(url + path).searchParams.get('by') as string;
        await Promise.all([page.waitForURL(url + path), page.evaluate(`location.href = '${url}${path}'`)]);
        expect(statuses.get(by), by).to.equal(403);
      }
      await page.goto(`http://${host}:${port()}/form`);
      await Promise.all([page.waitForURL(`${url}/mcp?by=form`), page.evaluate('document.forms[0].submit()')]);
      expect(statuses.get('form')).to.equal(403);
      for (const [by, status] of statuses) expect(status, by).to.equal(403);
      await page.close();
      // What the daemon itself has answered: 200 only to the requests of this test.
      const { own, refused } = await answered();
      expect(own).to.deep.equal([['/mcp', 1], ...(reads > 1 ? [['/metrics', reads - 1]] : [])]);
      expect(refused).to.be.at.least(14 * reads);
      const kinds = (await w.events()).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'job.queued')).to.have.length(1);
      expect(kinds.filter((kind) => kind.startsWith('evidence.'))).to.deep.equal([]);
    });

  it('answers what a user types, and pages of its own', async () => {
    const page = await browser.newPage();
    const typed = await page.goto(`${url}/health`);
    expect(typed?.status()).to.equal(200);
    expect(await page.evaluate(`fetch('/metrics').then((answer) => answer.status)`)).to.equal(200);
    await page.close();
  });
});
