import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../../src/lib/judge/observation.js';
import type { Policy } from '../../../../src/lib/judge/policy.js';
import type { Recording } from '../../../../src/lib/replay/recording.js';
import { type Replay, replay } from '../../../../src/lib/replay/replay.js';
import { renderReport } from '../../../../src/lib/replay/report/report.js';
import type { CanaryReplay, ReplayResult } from '../../../../src/lib/replay/result.js';
import { cases } from '../../../cases.js';
import { observations as anyObservations, policies } from '../../judge/arbitrary.js';
import { errors, histogram, looks, missing, policy, START } from '../../judge/looks.js';
import { luminance, structure } from '../markup.js';
import { recorded, request } from '../recordings.js';

const lenient = policy({ targets: { max_error_rate: 0.1, latency_p95_ms: 300, max_drift: 0.3 } });
const STRICT = { targets: { max_error_rate: 0.02, latency_p95_ms: 200, max_drift: 0.2 } };
const arm = (bad: number) => ({
  ...errors(bad, 500),
  latency: histogram([100, 200, 300], [400, 90, 8, 2]),
  score: histogram([0.25, 0.5, 0.75], [100, 150, 150, 100]),
});
const poor = looks(12, () => ({ canary: arm(20), baseline: arm(5) }));
const holed = poor.map((o) => (o.tick === 6 ? { ...o, canary: { errors: missing('absent') } } : o));

type Changes = Partial<Parameters<typeof request>[0]> & { recording?: Partial<Recording>; own?: Policy };

function replayed(observations: readonly Observation[], { recording, own = lenient, ...rest }: Changes = {}) {
  const given = { windowSeconds: 60, intervalSeconds: 5, ...STRICT };
  return replay(
    [recorded(own, observations, recording)],
    request({ keepSeries: true, given: { written: given, where: 'p.json' }, ...rest }),
  );
}

const page = ({ result, series }: Replay) => renderReport(result, series);

const count = (text: string, part: RegExp) => [...text.matchAll(part)].length;

/** The paths drawn with a class, by figure. */
function paths(text: string, id: string, cls: string): string[] {
  const figure = text.slice(text.indexOf(`aria-labelledby="${id}-t`), text.indexOf('</svg>', text.indexOf(`${id}-t`)));
  return [...figure.matchAll(new RegExp(`<path class="${cls}" d="([^"]*)"`, 'g'))].map(([, d = '']) => d);
}

function withNames({ result, series }: Replay, name: string): string {
  const named = (c: CanaryReplay): CanaryReplay => ({
    ...c,
    modelId: name,
    fromGate: name,
    toGate: name,
    canaryId: name,
    original: { ...c.original, overridden: name, lacking: name, policy: { ...c.original.policy, name } },
    counterfactual: { ...c.counterfactual, policy: { ...c.counterfactual.policy, name } },
  });
  const diff = { path: name, original: name, counterfactual: [name] };
  const changed = { modelId: name, policyName: name, from: name, policyDiff: [diff], log: { size: 1, root: name } };
  const shown = { ...result, ...changed, canaries: result.canaries.map(named) };
  return renderReport(
    shown,
    series.map((s) => ({ ...s, canaryId: name })),
  );
}

describe('the report of a replay', () => {
  let flip: Replay;
  before(async () => {
    flip = await replayed(poor, { axes: [{ path: 'targets.max_error_rate', values: [0.01, 0.02, 0.05, 0.1] }] });
  });

  it('sets the verdicts side by side, with where they diverge and what it would have changed', () => {
    const text = page(flip);
    const [canary] = flip.result.canaries;
    expect([canary?.original.outcome, canary?.counterfactual.outcome]).to.deep.equal(['promote', 'rollback']);
    expect(text).to.match(/<th scope="row">outcome<\/th><td>.*P promoted.*<td>.*R rolled back/);
    expect(text).to.include(`Divergence at check ${canary?.divergence?.tick},`);
    expect(text).to.match(/Difference:<\/strong> \d+ s earlier; [\d,]+ requests in between, \d+ of/);
    expect(text).to.match(/<code>targets.max_error_rate<\/code><\/th><td>0.1<\/td><td>0.02<\/td>/);
    expect(text).to.include(canary?.observations.digest as string);
  });

  it('names what it was verified against, or that there was nothing', () => {
    expect(page(flip)).to.include('none: no log to verify against');
    const log = { size: 1234, root: 'ab'.repeat(32) };
    const text = renderReport({ ...flip.result, log }, flip.series);
    expect(text).to.include(log.root).and.to.include('1,234 entries');
  });

  it('is well formed, whatever was replayed under whatever policy', async () => {
    await fc.assert(
      fc.asyncProperty(policies, policies, anyObservations, async (own, other, observations) => {
        const text = page(await replayed(observations, { own, given: { written: other, where: 'p' } }));
        structure(text);
        expect(text).to.not.match(/NaN|Infinity|undefined|\[object/);
      }),
      { numRuns: 150 },
    );
  });

  it('shows what people wrote as text: no name adds a tag or an attribute', () => {
    const plain = structure(withNames(flip, 'name'));
    const evil = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ maxLength: 900 }),
      fc.constantFrom('"><script>alert(1)</script>', "' onload='x", '</style><b>', '<!--', ']]>', '&lt;', '\ud800', ''),
    );
    fc.assert(
      fc.property(evil, (name) => {
        expect(structure(withNames(flip, name))).to.deep.equal(plain);
      }),
      { numRuns: 60 },
    );
    expect(withNames(flip, '"><script>')).to.include('&quot;&gt;&lt;script&gt;');
  });

  it('makes characters visible that hide, move or turn what others wrote', () => {
    const text = withNames(flip, 'a\u0000b\u001b[2Jc\u007fd\u202ee\u200bf\ud800g');
    expect(text).to.include(String.raw`a\u0000b\u001b[2Jc\u007fd\u202ee\u200bf\ud800g`);
    expect(text.replaceAll('\n', '')).to.not.match(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  it('asks nobody for anything', () => {
    const text = page(flip);
    expect(text).to.include(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(text).to.not.match(/https?:|\/\/|<script|<link|<img|<iframe|@import|javascript:| on[a-z]+=| style=/i);
    for (const [, target] of text.matchAll(/(?:href=|src=|url\()"?([^")]*)/g)) expect(target).to.match(/^#/);
  });

  it('is the same page for the same replay, and does not change what it is given', async () => {
    const before = JSON.stringify(flip);
    const text = page(flip);
    expect(page(flip)).to.equal(text);
    expect(JSON.stringify(flip)).to.equal(before);
    expect(page(JSON.parse(before))).to.equal(text);
  });

  it('can be read without seeing it: headings, captions, scopes, and a description of every drawing', () => {
    const text = page(flip);
    expect(text).to.match(/<html lang="en">/);
    expect(count(text, /<h1>/g)).to.equal(1);
    const drawings = [...text.matchAll(/<svg role="img" aria-labelledby="(\S+) (\S+)"/g)];
    expect(drawings.length).to.equal(count(text, /<svg/g)).and.to.be.greaterThan(4);
    for (const [, title, description] of drawings) {
      expect(text).to.match(new RegExp(`<title id="${title}">[^<]+<`));
      expect(text).to.match(new RegExp(`<desc id="${description}">[^<]+<`));
    }
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(count(text, /<table>/g)).to.equal(count(text, /<table><caption>[^<]/g));
    expect(text).to.not.match(/<th>/);
    // Behind every drawing there is a table of its numbers.
    expect(count(text, /<\/svg>/g)).to.equal(count(text, /<details><summary>Numbers: /g));
  });

  it('shows limits of both policies and when each of them decided', () => {
    const text = page(flip);
    for (const id of ['canary-1-errors', 'canary-1-p95', 'canary-1-drift', 'canary-1-evidence']) {
      for (const cls of ['limit original', 'limit counterfactual', 'marker original', 'marker counterfactual']) {
        expect(paths(text, id, cls), `${id} ${cls}`).to.have.length(1);
      }
    }
    expect(paths(text, 'canary-1-errors', 'band mean faint')).to.have.length(1);
    expect(text).to.match(/original: 10%.*other policy: 2%/s);
  });

  it('leaves a gap where nothing was measured', async () => {
    const lines = (text: string) => paths(text, 'canary-1-errors', 'line canary')[0] as string;
    const whole = page(await replayed(poor));
    const gaped = page(await replayed(holed));
    expect(count(lines(whole), /m/g)).to.equal(1);
    expect(count(lines(gaped), /m/g)).to.equal(2);
    expect(count(lines(gaped), /l/g)).to.equal(count(lines(whole), /l/g) - 2);
    expect(count(paths(gaped, 'canary-1-p95', 'band canary band')[0] as string, /m/g)).to.equal(2);
    expect([count(whole, /class="gap"/g), count(gaped, /class="gap"/g)]).to.deep.equal([0, 3]);
    expect(gaped).to.match(/<th scope="row">6 \(30 s\)<\/th><td>no data: absent<\/td><td>5 of 500 \(1%\)<\/td>/);
  });

  it('does not bridge a gap that is narrower than what can be drawn', async () => {
    const own = policy({ windowSeconds: 50_000, intervalSeconds: 5, targets: { max_error_rate: 0.1 } });
    const given = { written: { windowSeconds: 50_000, targets: { max_error_rate: 0.2 } }, where: 'p' };
    const every = (n: number) =>
      looks(10_000, (tick) => ({ canary: tick % n === 0 ? { errors: missing('stale') } : errors(tick % 7, 500) }));
    const drawn = async (n: number) =>
      paths(page(await replayed(every(n), { own, given })), 'canary-1-errors', 'line canary')[0] as string;
    // Every column of pixels has a hole in it: there are points, and no line between any two.
    expect(await drawn(3)).to.match(/^(m-?[\d.]+[ -][\d.]+h0)+$/);
    const sparse = await drawn(5000);
    expect(count(sparse, /m/g)).to.be.within(2, 5);
    expect(count(sparse, /l/g)).to.be.greaterThan(500);
  });

  it('draws a single look between two gaps as a point', async () => {
    const lonely = poor.map((o) => (o.tick === 6 || o.tick > 12 ? o : { ...o, canary: { errors: missing('absent') } }));
    const [d = ''] = paths(page(await replayed(lonely)), 'canary-1-errors', 'line canary');
    expect(d).to.match(/^m[\d.]+ [\d.]+h0$/);
  });

  it('tells the sweep by letters and hatching as well as by colour, with its flip points', () => {
    const text = page(flip);
    const map = text.slice(text.indexOf('aria-labelledby="sweep-t'), text.indexOf('Flip points'));
    expect(map).to.match(/class="cell rollback"\/><rect [^>]*fill="url\(#hatch-rollback\)"\/><text[^>]*>R\*<\/text>/);
    expect(map).to.match(/class="cell promote"\/><text[^>]*>P<\/text>/);
    const [point] = flip.result.sweep?.flipPoints ?? [];
    expect(text).to.include(`rolled back up to ${point?.below}`);
    expect(count(map, /class="marker flip"/g)).to.equal(flip.result.sweep?.flipPoints.length);
    expect(map).to.include('Canaries by outcome, combinations: 4');
  });

  it('says what is not known, and why', async () => {
    const own = policy({ targets: { max_error_rate: 0.1 } });
    const text = page(
      await replayed(
        poor.map(({ baseline: _, ...o }) => o),
        { own },
      ),
    );
    expect(text)
      .to.match(/outcome<\/th>.*U unknown/)
      .and.to.include('cannot be determined from the records');
    expect(text).to.match(/unknown: targets\.max_drift needs a baseline, which was never recorded/);
    expect(paths(text, 'canary-1-evidence', 'line counterfactual')).to.deep.equal([]);
  });

  it('says that there was no canary', async () => {
    const { result } = await replay([], request({ from: START, to: START + 1000 }));
    const text = renderReport(result, []);
    structure(text);
    expect(text).to.include('No canary in this window: nothing to replay.');
  });

  it('shows a canary whose observations are gone', () => {
    const text = renderReport(flip.result, []);
    structure(text);
    expect(text).to.include('No observations to draw.').and.to.include('Verdicts side by side');
  });

  it('begins with the sums, shows those that flip in detail, and says how many it leaves out', () => {
    const [flips] = flip.result.canaries as [CanaryReplay];
    const canaries = Array.from({ length: 120 }, (_, i): CanaryReplay => {
      return i === 110 ? { ...flips, canaryId: 'c-110' } : { ...flips, canaryId: `c-${i}`, flips: false };
    });
    const text = renderReport({ ...flip.result, canaries }, []);
    structure(text);
    expect(text).to.include('In detail: 50 of 120 canaries').and.to.include('70 are left out');
    expect(count(text, /<section class="canary"/g)).to.equal(50);
    expect(text).to.include('<a class="whole" href="#canary-111">c-110</a>').and.to.include('<h2 id="canary-111">');
    expect(text.indexOf('id="totals"')).to.be.lessThan(text.indexOf('<section class="canary"'));
  });

  for (const [canaries, each] of [
    [1, cases(60_000)],
    [50, 1000],
  ] as const) {
    it(`stays below 2 MB with ${canaries} x ${each} looks that all differ`, async () => {
      const noisy = looks(each, (tick) => {
        const bad = (tick * 7919) % 97;
        const one = {
          ...arm(bad),
          latency: histogram([100, 200, 300], [(tick * 31) % 500, bad, (tick * 17) % 90, tick % 5]),
        };
        return { canary: tick % 61 === 0 ? {} : one, baseline: { ...one, ...errors((tick * 104_729) % 89, 500) } };
      });
      const windowSeconds = each * 5;
      const own = policy({ windowSeconds, targets: { max_error_rate: 0.5, latency_p95_ms: 300, max_drift: 3 } });
      const written = { windowSeconds, targets: { max_error_rate: 0.6, latency_p95_ms: 200, max_drift: 2 } };
      const one = await replayed(noisy, { own, given: { written, where: 'p' } });
      const [canary] = one.result.canaries as [CanaryReplay];
      const ids = Array.from({ length: canaries }, (_, i) => `c-${i}`);
      const result: ReplayResult = { ...one.result, canaries: ids.map((canaryId) => ({ ...canary, canaryId })) };
      const observations = one.series[0]?.observations ?? [];
      expect(observations.length).to.be.greaterThan(each / 2);
      const text = renderReport(
        result,
        ids.map((canaryId) => ({ canaryId, observations })),
      );
      expect(Buffer.byteLength(text)).to.be.lessThan(2e6);
      structure(text);
    });
  }

  it('can be read in the light and in the dark: contrasts of WCAG AA', () => {
    const [light = '', dark = ''] = [...page(flip).matchAll(/:root \{([^}]*)\}/g)].map(([, vars]) => vars);
    for (const vars of [light, dark]) {
      const colour = (name: string) => new RegExp(`--${name}: #([0-9a-f]{6})`).exec(vars)?.[1] as string;
      const contrast = (a: string, b: string) => {
        const [x = 0, y = 0] = [luminance(colour(a)), luminance(colour(b))].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
      };
      for (const ink of ['ink', 'quiet', 'canary', 'original', 'counterfactual', 'baseline', 'mean'])
        expect(contrast(ink, 'paper'), ink).to.be.at.least(4.5);
      expect(contrast('quiet', 'gap')).to.be.at.least(4.5);
      expect(contrast('rule', 'paper')).to.be.at.least(3);
      for (const outcome of ['promote', 'rollback', 'block', 'insufficient'])
        expect(contrast(`on-${outcome}`, outcome), outcome).to.be.at.least(4.5);
    }
    expect(dark).to.not.equal('');
  });
});
