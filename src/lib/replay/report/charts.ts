import { count, milliseconds, percent, plural, seconds } from '../../explain/index.js';
import type { Targets } from '../../judge/index.js';
import type { CanaryReplay } from '../result.js';
import { type Chart, chartSvg, type Ink, type Layer, type Limit, type Marker } from './chart.js';
import { type Html, html, scroller, table } from './html.js';
import type { LatencyTarget, Row, Story } from './story.js';
import type { Trace } from './trace.js';
import { OUTCOME_WORDS } from './words.js';

/** What a figure needs beside what all figures of a canary have. */
interface Figure {
  key: string;
  title: string;
  layers: Layer[];
  limits: Limit[];
  least: number | null;
  note: string;
  unit: Chart['unit'];
  head: string[];
  cells(row: Row): string[];
}

/** Everything that was measured of a canary, over time; a signal that was never measured has no chart. */
export function charts(canary: CanaryReplay, story: Story, id: string): Html {
  const figures = [
    errorFigure(canary, story),
    ...[...story.latency.keys()].map((target) => latencyFigure(canary, story, target)),
    driftFigure(canary, story),
    ...[...story.readings].map(([name, trace], i) => readingFigure(canary, name, trace, i)),
    evidenceFigure(story),
  ].filter((figure) => figure.layers.some(({ trace }) => trace.samples.length > 0));
  const markers = markersOf(canary);
  return html`${figures.map((figure) => figureHtml(figure, story, markers, `${id}-${figure.key}`, canary.modelId))}`;
}

function figureHtml(figure: Figure, story: Story, markers: Marker[], id: string, modelId: string): Html {
  const { title, layers, limits, least, note, unit, head } = figure;
  const gaps = layers.find(({ ink }) => ink === 'canary')?.trace.gaps ?? [];
  const span = seconds((story.frame.to - story.frame.from) / 1000);
  const drawn = layers.filter(({ trace }) => trace.samples.length > 0);
  const said = limits.map(({ ink, value }) => `${ink === 'original' ? 'original' : 'other'} policy ${unit(value)}`);
  const description = [
    `${title} of ${modelId} over ${span}: ${drawn.map(({ label }) => label).join(', ')}.`,
    ...(said.length === 0 ? [] : [`Limits: ${said.join(', ')}.`]),
    ...(gaps.length === 0 ? [] : [`${plural(gaps.length, 'gap')} without data.`]),
    'The table below has the numbers.',
  ].join(' ');
  const chart: Chart = { id, title, description, frame: story.frame, layers, limits, markers, gaps, least, unit };
  const legend = drawn.map(({ ink, as, label }) => html`<li><span class="key ${ink} ${as}"></span>${label}</li>`);
  const rows = story.rows.map((row) => [row.check, ...figure.cells(row)]);
  return html`<figure><figcaption>${title}</figcaption>
${scroller(title, chartSvg(chart), 'wide')}<ul class="legend">${legend}</ul>${note === '' ? null : html`<p class="note">${note}</p>`}
<details><summary>Numbers: ${title}</summary>
${table(tableCaption(title, story), ['check', ...head], rows)}</details></figure>
`;
}

function tableCaption(title: string, { rows, checks }: Story): string {
  const which = rows.length < checks ? `${count(rows.length)} of ${count(checks)} checks` : plural(checks, 'check');
  return `${title}: ${which}`;
}

/** When each policy decided; one that did not has no marker. */
function markersOf({ original, counterfactual }: CanaryReplay): Marker[] {
  const side = (ink: Marker['ink'], label: string, { verdict, outcome }: CanaryReplay['original']): Marker[] =>
    verdict === null || outcome === 'insufficient'
      ? []
      : [{ ink, at: verdict.at, words: `${label}: ${OUTCOME_WORDS[outcome]}` }];
  return [...side('original', 'original', original), ...side('counterfactual', 'other policy', counterfactual)];
}

function limitsOf({ original, counterfactual }: CanaryReplay, target: keyof Targets): Limit[] {
  return (['original', 'counterfactual'] as const).flatMap((ink) => {
    const value = (ink === 'original' ? original : counterfactual).policy.targets[target];
    return value === undefined ? [] : [{ ink, value }];
  });
}

function errorFigure(canary: CanaryReplay, { errors, counterfactual, original }: Story): Figure {
  const judged = [counterfactual, original].find((course) => course && course.errorBand.samples.length > 0);
  const whose = judged === counterfactual ? 'other' : 'original';
  const soFar: Layer[] = judged
    ? [
        {
          label: `confidence band of the canary’s rate (${whose} policy)`,
          ink: 'mean',
          trace: judged.errorBand,
          as: 'faint',
        },
        { label: 'canary, all checks so far', ink: 'mean', trace: judged.errorRate, as: 'line' },
      ]
    : [];
  return {
    key: 'errors',
    title: 'Error rate',
    layers: [...soFar, line('baseline', errors.baseline), line('canary', errors.canary)],
    limits: limitsOf(canary, 'max_error_rate'),
    least: 0,
    note: judged ? 'The band holds at all checks together; it is cut off where it is wider than the axis.' : '',
    unit: percent,
    head: ['canary: failed', 'baseline: failed'],
    cells: ({ errors: cells }) => cells,
  };
}

function line(arm: 'canary' | 'baseline', trace: Trace): Layer {
  return { label: `${arm}, each check`, ink: arm, trace, as: 'line' };
}

function latencyFigure(canary: CanaryReplay, { latency }: Story, target: LatencyTarget): Figure {
  const arms = latency.get(target);
  const p = target.slice('latency_'.length, -'_ms'.length);
  const band = (ink: 'canary' | 'baseline'): Layer[] =>
    arms ? [{ label: `${ink}: bucket of its ${p}`, ink, trace: arms[ink], as: 'band' }] : [];
  return {
    key: p,
    title: `Latency ${p}`,
    layers: [...band('baseline'), ...band('canary')],
    limits: limitsOf(canary, target),
    least: 0,
    note: 'Drawn from the lower to the upper bound of the bucket, which is as exact as a histogram is. Above the last bound the band reaches the top.',
    unit: milliseconds,
    head: [`canary: ${p} within`, `baseline: ${p} within`],
    cells: (row) => row.latency[target] ?? [],
  };
}

function driftFigure(canary: CanaryReplay, { drift }: Story): Figure {
  return {
    key: 'drift',
    title: 'Score drift',
    layers: [
      { label: 'confidence band (asymptotic)', ink: 'canary', trace: drift.band, as: 'faint' },
      { label: 'population stability index, all checks so far', ink: 'canary', trace: drift.value, as: 'line' },
    ],
    limits: limitsOf(canary, 'max_drift'),
    least: 0,
    note: '',
    unit: decimal,
    head: ['PSI (band)'],
    cells: (row) => [row.drift],
  };
}

/** Readings that replace counts have the name of their target's signal. */
const STANDS_FOR: Readonly<Record<string, keyof Targets>> = {
  error_rate: 'max_error_rate',
  drift: 'max_drift',
  latency_p50_ms: 'latency_p50_ms',
  latency_p95_ms: 'latency_p95_ms',
  latency_p99_ms: 'latency_p99_ms',
};

function readingFigure(canary: CanaryReplay, name: string, trace: Trace, index: number): Figure {
  const target = Object.hasOwn(STANDS_FOR, name) ? STANDS_FOR[name] : undefined;
  const own = (['original', 'counterfactual'] as const).flatMap((ink) => {
    const { objectives } = (ink === 'original' ? canary.original : canary.counterfactual).policy;
    return objectives.filter((o) => o.name === name).map(({ value }): Limit => ({ ink, value }));
  });
  return {
    key: `reading${index}`,
    title: `Reading ${name}`,
    layers: [{ label: name, ink: 'canary', trace, as: 'line' }],
    limits: [...(target === undefined ? [] : limitsOf(canary, target)), ...own],
    least: null,
    note: '',
    unit: decimal,
    head: ['reading'],
    cells: (row) => [row.readings[name] ?? ''],
  };
}

function evidenceFigure({ original, counterfactual }: Story): Figure {
  const sides: [Ink & Limit['ink'], string, Story['original']][] = [
    ['original', 'original policy', original],
    ['counterfactual', original === null ? 'the policy' : 'other policy', counterfactual],
  ];
  const known = sides.flatMap(([ink, label, course]) => (course === null ? [] : [{ ink, label, course }]));
  return {
    key: 'evidence',
    title: 'Evidence against the canary',
    layers: known.map(({ ink, label, course }) => ({ ink, label, trace: course.evidence, as: 'line' })),
    limits: known.map(({ ink, course }) => ({ ink, value: course.threshold })),
    least: null,
    note: 'Natural logarithm of the e-value over all objectives, until the policy decides. At the limit the canary is rolled back, unless the baseline misses the same target.',
    unit: decimal,
    head: ['original policy', 'other policy'],
    cells: (row) => row.evidence,
  };
}

function decimal(value: number): string {
  return String(Number(value.toPrecision(4)));
}
