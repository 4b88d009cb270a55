import {
  clip,
  evidenceLines,
  headline,
  mark,
  objectiveLine,
  oneLine,
  plural,
  whenText,
  why,
} from '../../explain/index.js';
import { visible } from '../../input/index.js';
import type { Ledger, StoredEvent } from '../../ledger/index.js';
import { DECISION_KINDS, type DecisionEvent } from '../../readings/index.js';
import { countDecisions, type PackDecision } from './decisions.js';
import type { PackPlan } from './plan.js';

/** Decisions written from one read of the log. */
const CHUNK = 64;

/** narrative.txt: the decisions of the window, first those without evidence behind them. Plain text, UTC. */
export async function* narrativeText(ledger: Ledger, plan: PackPlan, origin: string): AsyncGenerator<Buffer> {
  const { range, firstTs, lastTs, decisions } = plan;
  const unreviewed = decisions.filter((d) => d.unreviewed);
  const forced = decisions.filter((d) => d.kind === 'canary.forced' && !d.unreviewed);
  const overrides = decisions.filter((d) => d.kind === 'canary.overridden');
  yield lines([
    `Decisions in the log ${origin}, entries ${range.from} up to but not including ${range.to}, ${firstTs} to ${lastTs}`,
    ...filterLine(plan),
    counted(decisions),
    '',
  ]);
  const none = filterLine(plan).length === 0 ? 'none' : 'none in this selection';
  yield* part(ledger, 'PROMOTED BY BREAK-GLASS, NOT REVIEWED BY THE END OF THE WINDOW', unreviewed, none);
  yield* part(ledger, 'PROMOTED BY BREAK-GLASS, REVIEWED', forced, none);
  yield* part(ledger, 'PROMOTED BY A PERSON AGAINST THE VERDICT', overrides, none);
  yield* part(ledger, 'ALL DECISIONS, IN THE ORDER OF THE LOG', decisions, none);
}

async function* part(
  ledger: Ledger,
  heading: string,
  decisions: readonly PackDecision[],
  none: string,
): AsyncGenerator<Buffer> {
  yield lines([heading, '', ...(decisions.length === 0 ? [none, ''] : [])]);
  yield* decisionTexts(ledger, decisions);
}

function filterLine({ selection: { models, families } }: PackPlan): string[] {
  const of = [
    ...(models === undefined ? [] : [`models ${models.map(oneLine).join(', ')}`]),
    ...(families === undefined ? [] : [`entries of ${families.join(', ')}`]),
  ];
  return of.length === 0 ? [] : [`only ${of.join('; ')}; completeness.json has the hashes of all other entries`];
}

function counted(decisions: readonly PackDecision[]): string {
  const c = countDecisions(decisions);
  const ends = [
    `${c.promoted} promoted`,
    `${c.rolledBack} rolled back`,
    `${c.blocked} blocked`,
    `${c.aborted} aborted`,
    `${c.failed} failed`,
    `${c.rejected} rejected`,
  ];
  const people = `${plural(c.overridden, 'override')}, ${c.breakGlass} by break-glass (${c.breakGlassUnreviewed} not reviewed)`;
  return `${plural(decisions.length, 'decision')}: ${ends.join(', ')}; ${people}`;
}

async function* decisionTexts(ledger: Ledger, decisions: readonly PackDecision[]): AsyncGenerator<Buffer> {
  for (let i = 0; i < decisions.length; i += CHUNK) {
    const part = decisions.slice(i, i + CHUNK);
    const events = new Map<number, DecisionEvent>();
    for (const event of await read(ledger, part)) events.set(event.seq, event);
    yield lines(part.flatMap((decision) => [...text(decision, events.get(decision.seq)), '']));
  }
}

/** Decisions that are far apart in the log are read one by one. */
async function read(ledger: Ledger, part: readonly PackDecision[]): Promise<DecisionEvent[]> {
  const first = part[0]?.seq ?? 0;
  const last = part.at(-1)?.seq ?? 0;
  const spans = last - first > CHUNK * CHUNK ? part.map(({ seq }) => [seq, seq] as const) : [[first, last] as const];
  const found: StoredEvent[] = [];
  for (const [from, to] of spans) found.push(...(await ledger.events({ from, to: to + 1, kinds: DECISION_KINDS })));
  return found as DecisionEvent[];
}

function text(decision: PackDecision, event: DecisionEvent | undefined): string[] {
  if (event === undefined) return [];
  return [`${event.ts}  entry ${event.seq}  canary ${decision.canaryId}`, ...body(decision, event).map(indented)];
}

function body(decision: PackDecision, event: DecisionEvent): string[] {
  const subject = { ...decision, state: decision.outcome };
  if (event.kind === 'canary.decided') {
    const { verdict } = event.data;
    return [
      ...headline(subject, whenText(verdict), null),
      ...(decision.dryRun ? ['  dry run: no hook was called, no gate changed'] : []),
      `  ${why(verdict)}`,
      ...evidenceLines(verdict, null),
      ...verdict.objectives.map((o) => `  ${mark(o)} ${objectiveLine(o)}`),
      ...waiting(decision, event),
    ];
  }
  const head = headline(subject, '', null);
  if (event.kind === 'canary.failed') return [...head, `  ${event.data.code}: ${clip(event.data.message)}`];
  if (event.kind === 'canary.lapsed') return [...head, `  approvals lapsed: ${LAPSES[event.data.cause]}`];
  const { by, reason } = event.data;
  return [...head, `  ${ACTIONS[event.kind]} by ${by.who} (${by.how}): ${clip(reason)}`];
}

const LAPSES = { gate: 'the gate changed', time: 'they expired' } as const;
const ACTIONS = {
  'canary.overridden': 'promoted by hand, against the verdict,',
  'canary.aborted': 'aborted',
  'canary.approved': 'approved (the last approval needed)',
  'canary.rejected': 'rejected',
  'canary.forced': 'promoted by break-glass, without the approvals that the policy requires,',
} as const;

function waiting({ outcome }: PackDecision, event: Extract<DecisionEvent, { kind: 'canary.decided' }>): string[] {
  const waits = outcome === 'BLOCKED' && event.data.verdict.decision === 'promote';
  return waits ? ['  waiting for the approvals that the policy requires'] : [];
}

/** Control, invisible and direction-changing characters become spaces, so that no user's text can start a line of its own. */
function indented(line: string): string {
  return `  ${visible(line)}`;
}

function lines(all: readonly string[]): Buffer {
  return Buffer.from(all.map((line) => `${line}\n`).join(''));
}
