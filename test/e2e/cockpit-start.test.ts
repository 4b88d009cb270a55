import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { accessible, type Cockpit, inBrowser, type Opened, quiet, SCHEMES, WIDTHS } from './browser.js';

const ANN = 'a-key-of-some-length';
const BEN = 'another-key-of-some-length';
const START = 'cockpit.html#/start';
const FOCUSED =
  "document.activeElement.id || document.activeElement.getAttribute('href') || document.activeElement.tagName";

describe('starting from the cockpit', function () {
  this.timeout(240_000);
  let cockpit: Cockpit;
  inBrowser((made) => {
    cockpit = made;
  });

  /** Wide limits: the demo is slow on a busy machine. @param windowSeconds of the policy */
  const policy = (windowSeconds: number, more = ''): void => {
    const targets = 'targets: { latency_p95_ms: 5000, max_error_rate: 0.2 }';
    cockpit.w.file('slo.yaml', `name: careful\nwindowSeconds: ${windowSeconds}\n${targets}\n${more}`);
    const task = 'bench: { command: [echo, done], description: "Replays <b>old</b> requests" }';
    cockpit.w.file('lukhas.yaml', `policy: slo.yaml\ntasks: { ${task} }\n`);
  };
  const fill = async (page: Page, model: string): Promise<void> => {
    await page.getByLabel('Model').fill(model);
    await page.getByLabel('From gate').fill('stage');
    await page.getByLabel('To gate').fill('production');
  };
  const requested = async () => (await cockpit.w.events()).filter(({ kind }) => kind === 'canary.requested');
  const badge = (page: Page, text: string) => page.locator('.badge', { hasText: text }).first();
  const signedIn = async (key: string, fragment = ''): Promise<Opened> => {
    const opened = await cockpit.open(fragment);
    await opened.page.getByLabel('API key').fill(key);
    await opened.page.getByRole('button', { name: 'Sign in' }).click();
    await opened.page.getByRole('button', { name: 'Sign out' }).waitFor();
    return opened;
  };
  /** Answers a dialog that wants a reason. */
  const decide = async (page: Page, verb: string, reason: string): Promise<void> => {
    await page.locator('main').getByRole('button', { name: verb, exact: true }).click();
    await page.getByLabel('Reason').fill(reason);
    await page.locator('dialog').getByRole('button', { name: verb, exact: true }).click();
  };

  it('plans while one types, says at its field what is wrong, starts one canary, and aborts it', async () => {
    policy(600);
    await cockpit.up(['--demo']);
    const { page, seen } = await cockpit.open(START);
    await page.getByText('Give the traffic of the canary').waitFor();
    await page.getByLabel('Traffic of the canary').fill('100');
    await page.getByText('Can be decided in about 10 min at this traffic').waitFor();
    await page.getByLabel('Failed requests at most').fill('0.01%');
    await page.getByText('NOT enough traffic').first().waitFor();
    await page.getByRole('button', { name: /^Use a window of/ }).click();
    await page.getByText(/Can be decided in about \d+ min/).waitFor();
    await page.getByLabel('Failed requests at most').fill('many');
    await page.getByText('"many" is not a valid value').waitFor();

    await page.getByRole('button', { name: 'Start canary' }).click();
    await page.getByText('Required.').first().waitFor();
    await fill(page, 'fraud-v2');
    await page.getByLabel('Failed requests at most').fill('30%');
    await page.getByRole('button', { name: 'Start canary' }).click();
    const problem = page.locator('#start-max_error_rate-problem');
    await problem.getByText('looser than the configured policy').waitFor();
    expect(await page.evaluate(FOCUSED)).to.equal('start-max_error_rate');
    expect(await requested()).to.have.lengthOf(0);

    await page.getByLabel('Failed requests at most').fill('10%');
    await page.getByRole('button', { name: 'Start canary' }).dblclick();
    await badge(page, 'RUNNING').waitFor();
    const [only, ...more] = await requested();
    expect(more).to.deep.equal([]);
    expect(page.url()).to.equal(`${cockpit.url}/cockpit.html#/canary/${only!.subject}`);
    expect(only!.kind === 'canary.requested' && only!.data.policy.targets.max_error_rate).to.equal(0.1);

    await decide(page, 'Abort', 'the wrong build');
    await badge(page, 'ABORTED').waitFor();
    const [aborted] = (await cockpit.w.events(only!.subject)).filter(({ kind }) => kind === 'canary.aborted');
    expect(aborted!.data).to.deep.include({ reason: 'the wrong build' });
    // What the daemon refused is reported by the browser itself.
    quiet(seen, '400');
  });

  it('offers to share series with another canary, and runs a job', async () => {
    policy(600);
    await cockpit.up(['--demo']);
    const first = await cockpit.start(600);
    const { page, seen } = await cockpit.open(`${START}?model=fraud-v3&from=stage&to=production`);
    await page.getByRole('button', { name: 'Start canary' }).click();
    await page.getByText(`canary ${first}`).first().waitFor();
    await page.getByLabel('Dry run: check and decide').check();
    await page.getByLabel('an open canary reads the same series').check();
    await page.getByRole('button', { name: 'Start dry run' }).click();
    await page.getByText('Started, with warnings').waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    expect((await requested()).map(({ data }) => (data as { dryRun: boolean }).dryRun)).to.deep.equal([false, true]);

    await page.goto(`${cockpit.url}/${START}`);
    await page.getByText('Replays <b>old</b> requests').waitFor();
    await page.getByRole('button', { name: 'Run task' }).click();
    await page.waitForURL(/#\/job\/j-/);
    await page.getByRole('heading', { name: /bench/ }).waitFor();
    quiet(seen, '409');
  });

  it('asks people: who requested it may not approve it, another one may, and may reject', async () => {
    policy(12, 'approvals: { required: 1 }\n');
    await cockpit.up(['--demo'], { LUKHAS_MCP_API_KEYS: `${ANN},${BEN}` });
    const ann = await signedIn(ANN);
    const ben = await signedIn(BEN);
    for (const [model, verb, end] of [
      ['fraud-v2', 'Approve', 'PROMOTED'],
      ['fraud-v3', 'Reject', 'BLOCKED'],
    ] as const) {
      await ann.page.goto(`${cockpit.url}/${START}`);
      await fill(ann.page, model);
      await ann.page.getByText('One person has to approve').waitFor();
      await ann.page.getByRole('button', { name: 'Start canary' }).click();
      await badge(ann.page, 'AWAITS APPROVAL 0/1').waitFor({ timeout: 120_000 });
      await decide(ann.page, 'Approve', 'it is mine');
      await ann.page
        .locator('dialog [role=alert]')
        .getByText(/requested.*Ask another person to approve it\./)
        .waitFor();
      await ann.page.getByRole('button', { name: 'Cancel' }).click();
      await ben.page.goto(ann.page.url());
      await decide(ben.page, verb, `looked at ${model}`);
      await badge(ben.page, end).waitFor();
      await badge(ann.page, end).waitFor();
      await ben.page.getByText(`looked at ${model}`).first().waitFor();
    }
    const said = (await cockpit.w.events()).filter(({ kind }) => /approved|rejected/.test(kind));
    const names = said.map(({ data }) => (data as { by: { who: string } }).by.who);
    expect(said.map(({ kind }) => kind)).to.deep.equal(['canary.approved', 'canary.rejected']);
    expect(new Set(names).size).to.equal(1);
    expect(names[0]).to.not.equal(
      (await requested()).map(({ data }) => (data as { requestedBy: { who: string } }).requestedBy.who)[0],
    );
    quiet(ann.seen, '409');
    quiet(ben.seen);
  });

  it('downloads a pack that `lukhas verify` accepts', async () => {
    await cockpit.up(['--demo']);
    await cockpit.start(600);
    const { page, seen } = await cockpit.open('cockpit.html#/evidence');
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const file = join(cockpit.w.dir, 'pack.zip');
    await (await downloading).saveAs(file);
    const verified = await cockpit.w.run(['verify', file]);
    expect(verified.stdout + verified.stderr).to.match(/verified|consistent/);
    expect(verified.code).to.equal(0);
    quiet(seen);
  });

  it('can be used with the keyboard alone, and its keys are nobody else’s', async () => {
    policy(600);
    await cockpit.up(['--demo']);
    const { page, seen } = await cockpit.open();
    await page.getByText('No canary yet').waitFor();
    const focused = () => page.evaluate(FOCUSED);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('Skip to content');
    await page.keyboard.press('Enter');
    expect(await focused()).to.equal('main');

    await page.keyboard.press('n');
    await page.getByLabel('Model').waitFor();
    while ((await focused()) !== 'start-modelId') await page.keyboard.press('Tab');
    // Every letter of it is a key of the page elsewhere.
    await page.keyboard.type('japan-g');
    await page.keyboard.press('Tab');
    await page.keyboard.type('stage');
    await page.keyboard.press('Tab');
    await page.keyboard.type('production');
    await page.keyboard.press('Enter');
    await badge(page, 'RUNNING').waitFor();
    const [{ subject = '' } = {}] = await requested();

    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.getByRole('link', { name: 'japan-g' }).waitFor();
    await page.keyboard.press('/');
    expect(await focused()).to.equal('search');
    await page.keyboard.type('jnap');
    await page.getByText('0 canaries of 1').waitFor();
    for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
    await page.getByText('1 canary', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('j');
    expect(await focused()).to.equal(`#/canary/${subject}`);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Abort' }).waitFor();

    await page.keyboard.press('w');
    await page.locator('dialog.drawer[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog.drawer[open]').waitFor({ state: 'detached' });

    // Switched off, they do nothing; with Ctrl they are the browser's.
    await page.keyboard.press('?');
    await page.getByLabel('Single keys do something').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('a');
    await page.keyboard.press('n');
    expect(await page.locator('dialog').count()).to.equal(0);
    expect(page.url()).to.include(subject);
    await page.getByRole('button', { name: 'Keyboard' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Single keys do something').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+a');
    expect(await page.locator('dialog').count()).to.equal(0);

    await page.keyboard.press('a');
    await page.getByLabel('Reason').waitFor();
    await page.keyboard.type('no gap, no jab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await badge(page, 'ABORTED').waitFor();
    expect(JSON.stringify(await cockpit.w.events(subject))).to.include('no gap, no jab');
    quiet(seen);
  });

  it('has no finding of axe on the form, with its plan and its errors, in both themes', async () => {
    policy(600);
    await cockpit.up(['--demo']);
    for (const scheme of SCHEMES)
      for (const width of WIDTHS) {
        const { page, seen } = await cockpit.open(START, width, scheme);
        await page.getByLabel('Traffic of the canary').fill('100');
        await page.getByText('Can be decided').waitFor();
        await page.getByRole('button', { name: 'Start canary' }).click();
        await page.getByText('Required.').first().waitFor();
        await page.getByText('The whole policy').click();
        await accessible(page, `start ${scheme} ${width}`);
        await page.getByRole('button', { name: 'Keyboard' }).click();
        await accessible(page, `keys ${scheme} ${width}`);
        quiet(seen);
        await page.close();
      }
  });
});
