import type { Init } from '../lib/app/init/index.js';
import { clip } from '../lib/input/index.js';
import { advice } from './advice.js';
import { presentPlan } from './present-plan.js';
import { block, blocks, type Styled } from './screen.js';

/** Values of labels may be of any length; the files have them whole. */
const LONGEST = 500;

/** What was found in a metrics page or a Prometheus, a line for each signal. */
export function presentFound({ found }: Init): Styled {
  const { requests, errors, latency, histograms, drift, inflight, arms, measured } = found;
  const line = (key: string, text: string | null, notes: readonly string[]): string =>
    `${key.padEnd(9)} ${clip(text === null ? `not found: ${notes[0] ?? ''}` : text, LONGEST)}`;
  const rate = (perSecond: number | null): string =>
    perSecond === null ? '' : ` (${Number(perSecond.toPrecision(2))} requests/s)`;
  const version = (value: string, perSecond: number | null) =>
    `${value === '' ? '(none)' : clip(value)}${rate(perSecond)}`;
  const told = arms.found;
  const versions =
    told === null
      ? `${arms.notes[0] ?? ''}${rate(measured.canaryPerSecond)}`
      : `${told.label}: canary ${version(told.canaryValue, measured.canaryPerSecond)}` +
        (told.baselineValue === null ? '' : `, baseline ${version(told.baselineValue, measured.baselinePerSecond)}`);
  const system =
    found.preset === null ? [] : [line('system', `${found.preset.title} (preset ${found.preset.name})`, [])];
  return block([
    ...system,
    line('requests', requests.text, requests.notes),
    line('errors', errors.text, errors.notes),
    line('latency', latency.text === null ? null : `${latency.text}, in ${latency.unit}`, latency.notes),
    ...Object.entries(histograms).map(([name, one]) => line(name, one.text, one.notes)),
    line('drift', drift.by === null ? drift.text : `${drift.text} by ${drift.by}`, drift.notes),
    ...(inflight.text === null ? [] : [line('inflight', inflight.text, inflight.notes)]),
    line('versions', versions, []),
    ...checks(found),
    ...found.unavailable,
  ]);
}

/** What a person has to look at before the first canary. */
function checks(found: Init['found']): string[] {
  const { requests, errors, latency, drift, arms } = found;
  const notes = [...requests.notes, ...errors.notes, ...latency.notes, ...drift.notes, ...arms.notes];
  return notes
    .filter((note) => /^check |cannot be separated|covers all/.test(note))
    .map((note) => `check: ${clip(note.replace(/^check (this: )?/, ''), LONGEST)}`);
}

/** The files as they would be written. */
export function presentFiles({ files }: Init): Styled {
  return blocks(files.map(({ name, text }) => block([`# ${name}`, ...text.trimEnd().split('\n')])));
}

/** What the policy can decide at the measured traffic. */
export function presentPlanned({ plan, next }: Init): Styled {
  if (next === null)
    return block([
      'Nothing to judge by was found: no latency histogram and no failures. docs/init.md says what to expose.',
    ]);
  if (plan !== null) return presentPlan(plan);
  return block([
    'No traffic was measured, so whether the window is long enough is not known.',
    'Run this again while the service is used, or check: lukhas plan --policy slo.yaml --rps RATE',
  ]);
}

/** What was written, and what to run. */
export function presentNext({ found, next, written }: Init & { written: readonly string[] }): Styled {
  if (written.length === 0 || next === null) return block(['Nothing was written.']);
  return block([`wrote ${written.join(' and ')}`, ...notYet(found), advice(`next: ${next}`)]);
}

/** What has to happen before the next command can lead anywhere. */
function notYet({ arms: { found } }: Init['found']): string[] {
  if (found?.certainty !== 'next') return [];
  return [
    `only ${found.baselineValue} serves now: start ${found.canaryValue} first, or correct its name in lukhas.yaml`,
  ];
}
