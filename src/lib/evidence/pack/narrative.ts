import { clip, oneLine, plural, summarise } from '../../explain/index.js';
import { visible } from '../../input/index.js';
import type { Ledger, StoredEvent } from '../../ledger/index.js';
import { DECISION_KINDS, type DecisionEvent } from '../../readings/index.js';
import { countDecisions, type PackDecision, type PackPlan } from './plan.js';

/** Decisions described from one read of the log. */
const CHUNK = 64;

/** narrative.txt: what was decided in the window, first the decisions that no evidence supports. Plain text, UTC. */
export async function* narrativeText(ledger: Ledger, plan: PackPlan, origin: string): AsyncGenerator<Buffer> {
  const { range, firstTs, lastTs, decisions } = plan;
  const unreviewed = decisions.filter((d) => d.unreviewed);
  const forced = decisions.filter((d) => d.kind === 'canary.forced' && !d.unreviewed);
  const overrides = decisions.filter((d) => d.kind === 'canary.overridden');
  yield lines([
    `Decisions of the log ${origin}, entries ${range.from} to ${range.to} (not included), ${firstTs} to ${lastTs}`,
    ...filterLine(plan),
    counted(decisions),
    '',
  ]);
  const none = filterLine(plan).length === 0 ? 'none' : 'none among what is shown';
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
  yield* described(ledger, decisions);
}

function filterLine({ selection: { models, families } }: PackPlan): string[] {
  const of = [
    ...(models === undefined ? [] : [`models ${models.map(oneLine).join(', ')}`]),
    ...(families === undefined ? [] : [`entries of ${families.join(', ')}`]),
  ];
  return of.length === 0 ? [] : [`only ${of.join('; ')}; of all others there are hashes in completeness.json`];
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

async function* described(ledger: Ledger, decisions: readonly PackDecision[]): AsyncGenerator<Buffer> {
  for (let i = 0; i < decisions.length; i += CHUNK) {
    const part = decisions.slice(i, i + CHUNK);
    const events = new Map<number, DecisionEvent>();
    for (const event of await read(ledger, part)) events.set(event.seq, event);
    yield lines(part.flatMap((decision) => [...sentences(decision, events.get(decision.seq)), '']));
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

function sentences(decision: PackDecision, event: DecisionEvent | undefined): string[] {
  if (event === undefined) return [];
  return [`${event.ts}  entry ${event.seq}`, ...body(decision, event).map(indented)];
}

function body(decision: PackDecision, event: DecisionEvent): string[] {
  const { canaryId, modelId, fromGate, toGate, outcome, dryRun } = decision;
  const subject = { id: canaryId, modelId, fromGate, toGate, state: outcome, dryRun };
  if (event.kind === 'canary.decided') return [...summarise(subject, event.data.verdict), ...waiting(decision, event)];
  const head = `${outcome.replace('_', ' ')}  ${modelId}: ${fromGate} -> ${toGate}  ${canaryId}`;
  if (event.kind === 'canary.failed') return [head, `  why       ${event.data.code}: ${clip(event.data.message)}`];
  if (event.kind === 'canary.lapsed') return [head, `  why       approvals lapsed: ${LAPSES[event.data.cause]}`];
  const { by, reason } = event.data;
  return [head, `  who       ${ACTIONS[event.kind]} by ${by.who} (${by.how})`, `  why       ${clip(reason)}`];
}

const LAPSES = { gate: 'the gate had changed', time: 'the time had run out' } as const;
const ACTIONS = {
  'canary.overridden': 'promoted by hand, against the verdict,',
  'canary.aborted': 'ended',
  'canary.approved': 'the last approval that was needed, given',
  'canary.rejected': 'refused',
  'canary.forced': 'break-glass, without the approvals that the policy asks for,',
} as const;

function waiting({ outcome }: PackDecision, event: Extract<DecisionEvent, { kind: 'canary.decided' }>): string[] {
  const waits = outcome === 'BLOCKED' && event.data.verdict.decision === 'promote';
  return waits ? ['  then      it waits for the approvals that the policy asks for'] : [];
}

/** Control, invisible and direction-changing characters become spaces, so that no user's text can start a line of its own. */
function indented(line: string): string {
  return `  ${visible(line)}`;
}

function lines(all: readonly string[]): Buffer {
  return Buffer.from(all.map((line) => `${line}\n`).join(''));
}
