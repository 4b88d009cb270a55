import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import type { EventDraft, StoredEvent } from '../../src/lib/ledger/events.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { policyDigest } from '../../src/lib/ledger/tree/policy-digest.js';
import { canarySummary, foldCanary } from '../../src/lib/readings/canary.js';
import { gateSummary } from '../../src/lib/readings/gate.js';
import { foldJob, jobSummary } from '../../src/lib/readings/job-state.js';
import { accessible, type Cockpit, inBrowser, quiet, SCHEMES, WIDTHS } from './browser.js';

const ESC = '\u001b';
const BIDI = '\u202e';
/** What a name must not do: markup, colours of a terminal, text that runs backwards; 128 characters. */
const HOSTILE = `<script>window.hostile=1</script><img src=x onerror=window.hostile=1>${ESC}[31m${BIDI}😀`.padEnd(
  128,
  'x',
);
const BY = { who: 'ana', how: 'os-user' } as const;
const TS = '2026-03-01T12:00:00.000Z';

describe('log, jobs, gates and reasons in the cockpit', function () {
  this.timeout(240_000);
  let cockpit: Cockpit;
  inBrowser((made) => {
    cockpit = made;
  });

  const at = (fragment: string) => `${cockpit.url}/cockpit.html${fragment}`;

  /** A canary that was rolled back. */
  async function rolledBack(): Promise<string> {
    await cockpit.up(['--demo', '--demo-fault', 'errors']);
    const id = await cockpit.start(120);
    const { page } = await cockpit.open();
    await page.locator('.badge', { hasText: 'ROLLED BACK' }).first().waitFor({ timeout: 120_000 });
    await page.context().close();
    return id;
  }

  it('shows entries that the page has verified, and a proof that `lukhas verify` accepts', async () => {
    const id = await rolledBack();
    const { page, seen } = await cockpit.open('cockpit.html#/log');
    const table = page.getByRole('region', { name: 'Entries' });
    await table.getByText('decided to roll back').waitFor();
    const size = (await cockpit.w.events()).length;
    expect(await table.locator('tbody tr').count()).to.equal(size);
    expect(await table.locator('td .good').count()).to.equal(size);
    await page.getByText(`✓ ${size} of ${size} entries shown`).waitFor();

    // Only what was asked for, and the same again from the address.
    await page.getByLabel('Entries of').selectOption('canary.decided');
    await page.waitForURL(/kind=canary.decided/);
    await table.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
    await page.reload();
    await table.getByText('decided to roll back').waitFor();
    await page.getByText('✓ 1 of 1 entries shown').waitFor();

    await table.locator('tbody a').first().click();
    await page.getByText('The checkpoint in its proof covers it').waitFor();
    const [, seq] = /#\/log\/(\d+)$/.exec(page.url())!;
    const [event] = (await cockpit.w.events()).filter((e) => e.seq === Number(seq));
    expect(JSON.parse(await page.innerText('pre[aria-label="recorded text"]'))).to.deep.equal(event);
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the proof' }).click();
    const file = join(cockpit.w.dir, (await downloading).suggestedFilename());
    await (await downloading).saveAs(file);
    expect((await readFile(file, 'utf8')).startsWith('c2sp.org/tlog-proof@v1\n')).to.equal(true);
    const verified = await cockpit.w.run(['verify', file]);
    expect(verified.code, verified.stderr).to.equal(0);
    expect(verified.stdout).to.include(`entry ${seq} is in the log`);

    // It goes on: the page has seen a shorter log, and the new one continues it.
    const aborted = await cockpit.start(600);
    expect(aborted).to.not.equal(id);
    await page.goto(at('#/log'));
    await page.getByText('It continues the log of').waitFor();
    quiet(seen);
  });

  it('marks as wrong what was changed on its way or in the database', async () => {
    await rolledBack();
    const { page } = await cockpit.open('cockpit.html#/');
    await page.route('**/api/log?*', async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      await route.fulfill({ response, body: text.replace(/fraud-v2/, 'fraud-v3') });
    });
    await page.goto(at('#/log'));
    await page.getByText('✗ not as recorded').waitFor();
    expect(await page.locator('td .bad').count()).to.equal(1);
    expect(await page.getByRole('alert').innerText()).to.include('Run lukhas verify');
  });

  it('opens why beside the canary: held by the address, closed by Escape, with the focus where it was', async () => {
    const id = await rolledBack();
    const { page, seen } = await cockpit.open(`cockpit.html#/canary/${id}`);
    const why = page.getByRole('button', { name: 'Why', exact: true });
    await why.click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('heading', { name: 'The numbers' }).waitFor();
    for (const what of ['Formula', 'Query: errors', 'Buckets', 'failed requests / requests ='])
      expect(await drawer.innerText()).to.include(what);
    await page.waitForURL(at(`#/canary/${id}?why`));
    // The focus stays inside, however often it moves on.
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
        ),
      ).to.equal(true);
    }
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.waitForURL(at(`#/canary/${id}`));
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('Why');
    await page.keyboard.press('w');
    await drawer.getByRole('heading', { name: 'The numbers' }).waitFor();
    // A link with it opens it again.
    await page.reload();
    await drawer.getByRole('heading', { name: 'The numbers' }).waitFor();
    quiet(seen);
  });

  /** A canary, a job and a gate with names that no command would take, as somebody may have written them into the file. */
  async function hostile(): Promise<void> {
    const policy = parsePolicy({ windowSeconds: 60, targets: { max_error_rate: 0.02 } });
    const requested = {
      modelId: HOSTILE,
      fromGate: HOSTILE,
      toGate: 'production',
      policy,
      policyDigest: policyDigest(policy),
    };
    const change = { gate: 'production', modelId: HOSTILE, previous: null, canaryId: 'c-hostile', by: BY };
    const queued = { taskId: HOSTILE, configId: HOSTILE, dryRun: false, command: [HOSTILE], timeoutSeconds: 60 };
    const output = { bytes: 200, tail: `${HOSTILE}\n${HOSTILE}`, truncated: false };
    const failed = { reason: 'exit', message: HOSTILE, durationMs: 5, exitCode: 1, output, by: null } as const;
    const events: EventDraft[] = [
      {
        kind: 'canary.requested',
        subject: 'c-hostile',
        ts: TS,
        data: { ...requested, source: { kind: 'none' }, dryRun: false, requestedBy: { who: HOSTILE, how: 'os-user' } },
      },
      { kind: 'canary.aborted', subject: 'c-hostile', ts: TS, data: { by: { ...BY, who: HOSTILE }, reason: HOSTILE } },
      { kind: 'gate.changed', subject: 'gate:production', ts: TS, data: change },
      { kind: 'job.queued', subject: 'j-hostile', ts: TS, data: { ...queued, requestedBy: BY } },
      { kind: 'job.running', subject: 'j-hostile', ts: TS, data: { pid: null, processStartedAt: null } },
      { kind: 'job.failed', subject: 'j-hostile', ts: TS, data: failed },
    ];
    const ledger = await openLedger(cockpit.w.db);
    const stored = events.map((event, seq) => ({ ...event, seq, v: 1 }) as StoredEvent);
    const summaries = [canarySummary(foldCanary(stored)!), gateSummary(change), jobSummary(foldJob(stored)!)];
    await ledger.commit({ events, summaries });
    await ledger.close();
  }

  it('shows hostile names, reasons and output as text, and stays whole at 360 pixels', async () => {
    await hostile();
    await cockpit.up([]);
    const pages = [
      '#/',
      '#/canary/c-hostile',
      '#/canary/c-hostile?why',
      '#/log',
      '#/log/0',
      '#/job/j-hostile',
      '#/gate/production',
    ];
    for (const scheme of SCHEMES)
      for (const width of [WIDTHS[0]!, 1280]) {
        const { page, seen } = await cockpit.open('', width, scheme);
        for (const fragment of pages) {
          await page.goto('about:blank');
          await page.goto(at(fragment));
          await page.getByText('<script>window.hostile=1</script>').first().waitFor();
          await harmless(page, `${fragment} ${scheme} ${width}`);
        }
        quiet(seen);
        await page.context().close();
      }
  });

  async function harmless(page: Page, where: string): Promise<void> {
    const text = await page.innerText('body');
    expect(text, where).to.include('\\u001b').and.include('\\u202e');
    expect(text, where).to.not.include(ESC).and.not.include(BIDI);
    expect(await page.evaluate('window.hostile'), where).to.equal(undefined);
    expect(await page.locator('main script, main img, dialog script, dialog img').count(), where).to.equal(0);
    await accessible(page, where);
  }

  it('says that it is not live while the daemon stands still, and has every check once afterwards', async () => {
    await cockpit.up(['--demo']);
    const id = await cockpit.start(600);
    const { page, seen } = await cockpit.open(`cockpit.html#/canary/${id}`);
    await page.getByText('checks of error_rate as a table').waitFor();
    const { child } = cockpit.daemon!;
    child.kill('SIGSTOP');
    const banner = page.locator('.banner');
    try {
      await banner.waitFor({ timeout: 90_000 });
      expect(await page.innerText('.heard')).to.not.include('live');
    } finally {
      child.kill('SIGCONT');
    }
    await banner.waitFor({ state: 'hidden', timeout: 60_000 });
    expect(await page.innerText('.heard')).to.include('live');
    const recorded = async () => (await cockpit.w.read((ledger) => ledger.observations(id))).length;
    const before = await recorded();
    while ((await recorded()) < before + 2) await page.waitForTimeout(200);
    await page.getByText(/^The evidence at \d+ checks as a table$/).click();
    const rows = page.getByRole('region', { name: 'evidence', exact: true }).locator('tbody tr');
    await rows.nth(before + 1).waitFor({ timeout: 60_000 });
    const ticks = await rows.locator('td:first-child').allInnerTexts();
    expect(ticks.map(Number)).to.deep.equal(ticks.map((_, i) => i));
    quiet(seen);
  });
});
