import { expect } from 'chai';
import { accessible, type Cockpit, inBrowser, quiet, SCHEMES, WIDTHS } from './browser.js';

const KEY = 'a-key-of-some-length';
const ERROR_RATE = '#what-if-max_error_rate';
const SLIDER = `document.querySelector('${ERROR_RATE}')`;

describe('the cockpit in a browser', function () {
  this.timeout(240_000);
  let cockpit: Cockpit;
  inBrowser((made) => {
    cockpit = made;
  });

  it('shows a canary from its start to its rollback, why, and what other targets would decide', async () => {
    await cockpit.up(['--demo', '--demo-fault', 'errors']);
    const { page, seen } = await cockpit.open();
    expect(page.url()).to.equal(`${cockpit.url}/cockpit.html`);
    await page.getByText('No canary yet').waitFor();
    const id = await cockpit.start(120);
    await page.getByRole('link', { name: 'fraud-v2' }).waitFor();
    await page.locator('.badge', { hasText: 'ROLLED BACK' }).first().waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'fraud-v2' }).click();
    await page.getByText('recorded checks are those that were judged').waitFor();
    expect(page.url()).to.equal(`${cockpit.url}/cockpit.html#/canary/${id}`);
    const why = (await cockpit.w.run(['why', id])).stdout;
    await page.keyboard.press('w');
    const told = await page.getByRole('dialog').innerText();
    await page.keyboard.press('Escape');
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
    const sweep = await cockpit.w.json([
      'replay',
      '--canary',
      id,
      '--sweep',
      `targets.max_error_rate=${below},${above}`,
    ]);
    const points = JSON.stringify(sweep);
    expect(points).to.include(`"below":${below}`).and.include(`"above":${above}`);
    await page.evaluate(`${SLIDER}.value = 0; ${SLIDER}.dispatchEvent(new Event('input'))`);
    const first = await page.innerText('.answer');
    await page.evaluate(`${SLIDER}.value = ${SLIDER}.max; ${SLIDER}.dispatchEvent(new Event('input'))`);
    expect(await page.innerText('.answer')).to.not.equal(first);
    quiet(seen);
  });

  it('aborts a canary with a reason, which the log keeps', async () => {
    await cockpit.up(['--demo']);
    const id = await cockpit.start(600);
    const { page, seen } = await cockpit.open(`cockpit.html#/canary/${id}`);
    await page.getByRole('button', { name: 'Abort' }).click();
    await page.getByLabel('Reason').fill('the wrong <b>build</b>');
    await page.locator('dialog').getByRole('button', { name: 'Abort' }).click();
    await page.locator('.badge', { hasText: 'ABORTED' }).first().waitFor();
    expect((await cockpit.w.json(['canary', 'status', id]))['status']).to.equal('ABORTED');
    expect(await page.locator('main b').count()).to.equal(0);
    quiet(seen);
  });

  it('asks for a key where the daemon has keys, and lets out again', async () => {
    await cockpit.up(['--demo'], { LUKHAS_MCP_API_KEYS: KEY });
    const { page, seen } = await cockpit.open();
    await page.getByLabel('API key').fill('not-the-right-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('unknown API key').waitFor();
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No canary yet').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    // The browser itself reports the answer to the wrong key.
    quiet(seen, '401');
    expect(
      await page.evaluate('JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])'),
    ).to.equal('[0,0,""]');
  });

  it('comes back after the daemon was away, and never shows old things as live', async () => {
    await cockpit.up(['--demo']);
    const port = new URL(cockpit.url).port;
    const { page } = await cockpit.open();
    await page.getByText('No canary yet').waitFor();
    cockpit.daemon!.child.kill('SIGKILL');
    await cockpit.daemon!.finished;
    await page.locator('.banner').waitFor();
    expect(await page.innerText('.heard')).to.not.include('live');
    cockpit.daemon = cockpit.w.start(['serve', '--demo', '--port', port]);
    await cockpit.daemon.says(/listening on/);
    await cockpit.start(600);
    await page.getByRole('link', { name: 'fraud-v2' }).waitFor();
    expect(await page.locator('.banner').isHidden()).to.equal(true);
  });

  it('can be used by everybody: no finding of axe, in both themes, from 360 to 1440 pixels', async () => {
    await cockpit.up(['--demo', '--demo-fault', 'errors']);
    const id = await cockpit.start(120);
    for (const scheme of SCHEMES)
      for (const width of WIDTHS) {
        const { page, seen } = await cockpit.open('', width, scheme);
        await page.locator('.badge', { hasText: 'ROLLED BACK' }).first().waitFor({ timeout: 120_000 });
        await accessible(page, `overview ${scheme} ${width}`);
        await page.goto(`${cockpit.url}/cockpit.html#/canary/${id}`);
        await page.getByText('recorded checks are those').waitFor();
        await accessible(page, `canary ${scheme} ${width}`);
        quiet(seen);
        await page.close();
      }
  });
});
