import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { EVIL, report } from './report-fixture.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [375, 768, 1280];
const SCHEMES = ['light', 'dark'] as const;
/** An A4 sheet less the margins that Chromium prints with, in CSS pixels. */
const PAPER = { width: 718, height: 1047 };

/** Run in the page; as text, as these tests know no types of a browser. */
const OPEN_ALL = "for (const details of document.querySelectorAll('details')) details.open = true";
const PAGE_WIDTH = 'document.documentElement.scrollWidth';
const UNREACHABLE = `[...document.querySelectorAll('main *')]
  .filter((element) => getComputedStyle(element).overflowX === 'auto' && element.scrollWidth > element.clientWidth)
  .filter((element) => element.tabIndex < 0 || element.getAttribute('aria-label') === null)
  .map((element) => element.outerHTML.slice(0, 80))`;
const KEYS_ASTRAY = `[...document.querySelectorAll('.legend li')].filter((item) => {
  const key = item.querySelector('.key').getBoundingClientRect();
  const { top } = item.getBoundingClientRect();
  return key.top < top || key.bottom > top + 1.5 * parseFloat(getComputedStyle(item).lineHeight);
}).length`;
const CLIPPED = `[...document.querySelectorAll('main *')]
  .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
  .filter((element) => getComputedStyle(element).overflowX !== 'visible')
  .map((element) => element.outerHTML.slice(0, 80))`;

interface Box {
  what: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** What the page did that it must not do. */
interface Seen {
  console: string[];
  requests: string[];
}

/**
 * The layout is measured and not compared with pictures kept from earlier: those would differ with every font, and which
 * fonts there are is the machine's business. Where something is wrong the pictures of this run are kept and named.
 */
describe('the report of a replay in a browser', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lukhas-report-'));
  const file = join(dir, 'report.html');
  let browser: Browser;
  let failed = false;

  before(async () => {
    writeFileSync(file, await report());
    browser = await chromium.launch({ executablePath: installed('chromium'), args: ['--no-sandbox'] });
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === 'failed';
  });
  after(async () => {
    await browser?.close();
    if (!failed) rmSync(dir, { recursive: true, force: true });
  });

  async function open(width: number, scheme: (typeof SCHEMES)[number]): Promise<{ page: Page; seen: Seen }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
    const seen: Seen = { console: [], requests: [] };
    page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => seen.console.push(`error: ${error.message}`));
    page.on('request', (request) => seen.requests.push(request.url()));
    await page.goto(pathToFileURL(file).href, { waitUntil: 'networkidle' });
    return { page, seen };
  }

  /** Keeps a picture where an expectation fails. */
  async function looking(page: Page, name: string, expectations: () => Promise<void>): Promise<void> {
    try {
      await expectations();
    } catch (error) {
      const picture = join(dir, `${name}.png`);
      await page.screenshot({ path: picture, fullPage: true });
      throw new Error(`${(error as Error).message}\nsee ${picture}`, { cause: error });
    } finally {
      await page.close();
    }
  }

  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      it(`is quiet, asks nobody for anything, and fits ${width} pixels, ${scheme}`, async () => {
        const { page, seen } = await open(width, scheme);
        await looking(page, `${width}-${scheme}`, async () => {
          await page.evaluate(OPEN_ALL);
          expect(seen.console).to.deep.equal([]);
          expect(seen.requests).to.deep.equal([pathToFileURL(file).href]);
          expect(await page.evaluate(PAGE_WIDTH)).to.equal(width);
          expect((await outside(page, width)).join('\n'), 'boxes that stick out').to.equal('');
          expect(await page.evaluate(KEYS_ASTRAY), 'keys of legends that stand apart from their words').to.equal(0);
          const charts = await labelsByChart(page);
          expect(charts.length).to.be.greaterThan(15);
          expect(charts.flatMap(overlaps).join('\n'), 'labels on top of each other').to.equal('');
          expect(charts.flat().filter(({ left, right }) => right - left <= 0)).to.deep.equal([]);
        });
      });
    }
  }

  for (const scheme of SCHEMES) {
    it(`has nothing that axe finds fault with, ${scheme}`, async () => {
      const { page } = await open(1280, scheme);
      await looking(page, `axe-${scheme}`, async () => {
        await page.evaluate(OPEN_ALL);
        await page.evaluate(AXE);
        const found = (await page.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { html: string }[] }[];
          passes: { id: string }[];
        };
        expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`).join('\n')).to.equal('');
        expect(found.passes.map(({ id }) => id)).to.include('color-contrast');
      });
    });
  }

  it('shows a name that is markup as the text it is', async () => {
    const { page, seen } = await open(768, 'light');
    await looking(page, 'markup', async () => {
      expect(await page.title()).to.equal('Replay under slo-prod');
      expect(await page.locator('h2', { hasText: EVIL }).count()).to.equal(1);
      expect(await page.locator('script, img').count()).to.equal(0);
      expect(seen.requests).to.have.length(1);
    });
  });

  it('is read by keyboard: what scrolls by itself can be reached', async () => {
    const { page } = await open(375, 'light');
    await looking(page, 'keyboard', async () => {
      const unreachable = (await page.evaluate(UNREACHABLE)) as string[];
      expect(unreachable.join('\n')).to.equal('');
    });
  });

  it('can be printed: nothing is cut off at the edge of the sheet, light on any screen', async () => {
    const { page } = await open(PAPER.width, 'dark');
    await looking(page, 'print', async () => {
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await page.evaluate(PAGE_WIDTH)).to.equal(PAPER.width);
      expect((await outside(page, PAPER.width)).join('\n'), 'boxes that stick out').to.equal('');
      const clipped = (await page.evaluate(CLIPPED)) as string[];
      expect(clipped.join('\n'), 'boxes that hide a part of themselves').to.equal('');
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(255, 255, 255)');
      const tall = (await page.evaluate(
        "[...document.querySelectorAll('figure')].map((f) => f.clientHeight)",
      )) as number[];
      expect(Math.max(...tall), 'a figure is on one sheet').to.be.below(PAPER.height);
      const pdf = await page.pdf({ format: 'A4' });
      expect(pdf.subarray(0, 5).toString()).to.equal('%PDF-');
    });
  });
});

/** @throws Error when no folder of the PATH has it: the end-to-end tests need it */
function installed(program: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder; the last one is followed by the error below.
    }
  }
  throw new Error(`${program} is not installed: scripts/install-e2e-parts.sh installs it`);
}

/** Texts and drawings that reach beyond the page, but for those in a box that scrolls by itself. */
function outside(page: Page, width: number): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('body *')]
    .filter((element) => {
      const scroller = element.closest('.scroll');
      return scroller === null || getComputedStyle(scroller).overflowX === 'visible';
    })
    .filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < -0.5 || right > ${width} + 0.5);
    })
    .map((element) => element.outerHTML.slice(0, 80))`);
}

/** Where the texts of each drawing are. */
function labelsByChart(page: Page): Promise<Box[][]> {
  return page.evaluate(`[...document.querySelectorAll('svg')].map((svg) =>
    [...svg.querySelectorAll('text')].map((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return { what: svg.querySelector('title').textContent + ': ' + text.textContent, left, right, top, bottom };
    }))`);
}

/** A text's box has air above and below its letters: that much of a line may overlap. */
const AIR = 0.35;

function overlaps(boxes: readonly Box[]): string[] {
  return boxes.flatMap((a, i) =>
    boxes.slice(i + 1).flatMap((b) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      return wide > 0.5 && high > AIR * (a.bottom - a.top) ? [`${a.what} | ${b.what}`] : [];
    }),
  );
}
