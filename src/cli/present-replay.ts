import { timestamp } from '../lib/clock.js';
import { count, evidenceText, objectiveLine, plural, seconds, why } from '../lib/explain/index.js';
import type { Verdict } from '../lib/judge/index.js';
import type { CanaryReplay, Difference, Outcome, ReplayResult, Side, Sweep } from '../lib/replay/index.js';
import { paint } from './present.js';
import { block, blocks, type Styled } from './screen.js';
import { table } from './table.js';

const WORDS: Readonly<Record<Outcome, string>> = {
  promote: 'promoted',
  rollback: 'rolled back',
  block: 'blocked',
  insufficient: 'unknown',
};
const OUTCOMES = Object.keys(WORDS) as Outcome[];

/** A replay for a terminal or a pipe: one block a canary, then the totals. */
export function presentReplay(result: ReplayResult, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const parts = result.canaries.map((canary) => {
    const [first = '', ...rest] = canaryLines(canary);
    return block([canary.flips ? pen(first, 'yellow', 'bold') : pen(first, 'bold'), ...rest]);
  });
  if (parts.length === 0) parts.push(block([nothing(result)]));
  else parts.unshift(block([...headLines(result), ...readLines(result)]));
  if (result.canaries.length > 1) parts.push(totals(result));
  if (result.sweep && result.canaries.length > 0) parts.push(sweepBlock(result.sweep));
  return blocks(parts);
}

function headLines(result: ReplayResult): string[] {
  const { canaries, policyName, policyDiff } = result;
  const chosen = [...selected(result), `replayed under ${policyName}`].join(', ');
  const head = `${plural(canaries.length, 'canary', 'canaries')} ${chosen}`;
  const shown = (value: unknown) => (value === null ? 'none' : JSON.stringify(value));
  return [head, ...policyDiff.map((d) => `  ${d.path}  ${shown(d.original)} -> ${shown(d.counterfactual)}`)];
}

/** What the judgement of a time without a canary rests on. */
function readLines({ read }: ReplayResult): string[] {
  if (read === null) return [];
  const { looks, intervalSeconds, spacingSeconds, series, samples, notes } = read;
  const spacing = spacingSeconds === null ? '' : `, one every ${seconds(spacingSeconds)}`;
  return [
    `  read from Prometheus: ${plural(looks, 'check')} ${seconds(intervalSeconds)} apart, ${plural(samples, 'sample')} of ${count(series)} series${spacing}`,
    '  no canary ran then: there is no original verdict and no log to verify',
    ...notes.map((note) => `  note: ${note}`),
  ];
}

function selected({ from, to, modelId }: ReplayResult): string[] {
  const model = modelId === null ? [] : [`of model ${modelId}`];
  if (from === null && to === null) return model;
  return [
    ...model,
    `started${from === null ? '' : ` at or after ${from}`}${to === null ? '' : `${from === null ? '' : ' and'} before ${to}`}`,
  ];
}

function nothing(result: ReplayResult): string {
  const inWindow = result.from === null && result.to === null ? '' : ' in this window';
  const chosen = selected(result).join(', ');
  return `no canary${inWindow}${chosen === '' ? '' : ` (${chosen})`}: nothing to replay`;
}

function canaryLines(canary: CanaryReplay): string[] {
  const { canaryId, modelId, fromGate, toGate, startedAt, original, counterfactual, flips, difference } = canary;
  const mark = flips === null ? 'UNKNOWN' : flips ? 'FLIPS' : 'SAME';
  return [
    `${mark}  ${modelId}  ${fromGate} → ${toGate}  ${canaryId}  started ${timestamp(startedAt)}`,
    ...sideLines('was', original),
    ...sideLines('would be', counterfactual),
    ...divergenceLines(canary),
    ...(difference === null ? [] : [`  difference  ${differenceWords(difference)}`]),
  ];
}

function sideLines(label: string, side: Side): string[] {
  const { outcome, verdict, lacking, overridden } = side;
  const words =
    lacking === null && verdict ? `${WORDS[outcome]} ${moment(verdict)}: ${why(verdict)}` : `unknown: ${lacking}`;
  const lines = [`  ${label.padEnd(10)}  ${words}`];
  return overridden === null ? lines : [...lines, `  ${'by hand'.padEnd(10)}  ${overridden}`];
}

function moment({ elapsedSeconds, tick }: Verdict): string {
  return `after ${seconds(elapsedSeconds)} (check ${tick})`;
}

function divergenceLines({ divergence, startedAt }: CanaryReplay): string[] {
  if (divergence === null) return [];
  const { tick, at, original, counterfactual } = divergence;
  return [
    `  diverge     at check ${tick}, ${seconds((at - startedAt) / 1000)} after the start`,
    ...rulingLines('was', original),
    ...rulingLines('would be', counterfactual),
  ];
}

function rulingLines(label: string, verdict: Verdict): string[] {
  const ruling = verdict.decision === 'continue' ? 'no decision yet' : WORDS[verdict.decision];
  return [
    `    ${label}: ${ruling}; ${evidenceText(verdict)}`,
    ...verdict.objectives.map((o) => `      ${objectiveLine(o)}`),
  ];
}

function differenceWords({ seconds: s, requests, badRequests }: Difference): string {
  if (s === 0) return 'decided at the same time';
  const time = s < 0 ? `${seconds(-s)} earlier` : `${seconds(s)} later`;
  if (requests === null) return `${time}; the number of requests in between is unknown`;
  const failed = badRequests === null ? '' : `, ${count(badRequests)} of them failed`;
  return `${time}; ${plural(requests, 'request')} in between${failed}`;
}

function totals({ totals: t, canaries }: ReplayResult): Styled {
  const row = (label: string, counts: Record<Outcome, number>) => [label, ...OUTCOMES.map((o) => String(counts[o]))];
  const head = ['', ...OUTCOMES.map((o) => WORDS[o].toUpperCase())];
  const flips = `${t.flips} of ${canaries.length} decisions would change`;
  const open = t.insufficient === 0 ? '' : `; ${t.insufficient} cannot be determined from the records`;
  return block([table(head, [row('was', t.original), row('would be', t.counterfactual)]), `${flips}${open}`]);
}

function sweepBlock({ axes, cells, flipPoints }: Sweep): Styled {
  const head = [...axes.map(({ path }) => path), ...OUTCOMES.map((o) => WORDS[o].toUpperCase()), 'FLIPS'];
  const rows = cells.map(({ values, outcomes, flips }) => [
    ...values.map(String),
    ...OUTCOMES.map((o) => String(outcomes[o])),
    String(flips),
  ]);
  const points = flipPoints.map(
    ({ path, below, above, from, to }) => `${path}: ${WORDS[from]} up to ${below}, ${WORDS[to]} from ${above}`,
  );
  return block([table(head, rows), ...points]);
}
