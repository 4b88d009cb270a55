import { LukhasError } from '../errors.js';
import type { Policy } from '../judge/index.js';
import { openSource, type SignalsConfig, type SourceAuth, type SourceDescriptor } from '../metrics/index.js';
import type { Facts, Finding } from '../metrics/inspect/index.js';

export interface FirstLookRequest {
  source: SourceDescriptor;
  auth: SourceAuth;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** null: everything that the signals name is looked for. */
  policy: Policy | null;
  modelId: string;
  /** null: not known, as in a self-check; series that are named by their gate are not looked for then. */
  fromGate: string | null;
  toGate: string | null;
}

export interface FirstLook {
  /** As it is to be recorded: signals of a preset are those of the variant whose names are there. */
  source: SourceDescriptor;
  findings: Finding[];
  /** The canary does not answer, and its baseline does. */
  alone: boolean;
  /** What was not looked at, and why, in words; null: nothing was left out. */
  skipped: string | null;
}

/**
 * Looks at a source once, before anything is recorded: which series and labels there are for each signal and arm.
 * @throws LukhasError SOURCE_REFUSED, SOURCE_INVALID, PROMQL, CONFIG for a source that can never work
 */
export async function firstLook(request: FirstLookRequest): Promise<FirstLook> {
  const { auth, now, policy } = request;
  const source = await openSource(request.source, auth, now);
  const { descriptor } = source;
  try {
    const { fromGate, toGate } = request;
    const gates = fromGate ?? toGate;
    if (source.inspect === undefined || descriptor.kind === 'none' || descriptor.kind === 'ndjson') {
      await source.check();
      return {
        source: request.source,
        findings: [],
        alone: false,
        skipped: descriptor.kind === 'ndjson' ? `${descriptor.input}: read as the canary runs` : null,
      };
    }
    if (gates === null && JSON.stringify(descriptor.arms).includes('$__gate')) {
      await source.check();
      return {
        source: request.source,
        findings: [],
        alone: false,
        skipped: 'answers; pass --model, --from and --to to look at the series of a canary',
      };
    }
    const window = policy?.windowSeconds ?? 300;
    const [{ everythingOf, inspect, isAlone, neededOf, needsOf, otherVersion }, { fillSignals, parseSignals }] =
      await Promise.all([import('../metrics/inspect/index.js'), import('../metrics/signals/index.js')]);
    const values = { gate: fromGate ?? '', model: request.modelId, window };
    const signals = fillSignals(parseSignals(descriptor.signals), values);
    const expressions = descriptor.kind === 'prometheus' ? Object.keys(descriptor.queries) : [];
    const needs = policy === null ? everythingOf(signals) : needsOf(policy, expressions);
    const facts = await source.inspect({
      modelId: request.modelId,
      canaryGate: fromGate ?? '',
      baselineGate: toGate ?? '',
      windowSeconds: window,
      withBaseline: policy?.baseline !== 'none',
      signals: neededOf(signals, needs),
    });
    const variant = await variantOf(descriptor.signals, facts);
    if (variant !== null) {
      const look = await firstLook({ ...request, source: { ...descriptor, signals: variant } });
      return { ...look, findings: [...look.findings, variantFinding(descriptor.signals.preset, variant.preset)] };
    }
    const found = [
      ...inspect(facts, { signals, preset: descriptor.signals.preset }, needs),
      ...otherVersion(request.modelId, facts.canary.matchers),
    ];
    const findings = await withReason(found, facts);
    return { source: request.source, findings, alone: isAlone(facts), skipped: null };
  } finally {
    await source.close();
  }
}

/** The signals of the variant of a preset that the canary's places have the names of; null: none is needed. */
async function variantOf(signals: SignalsConfig, { canary }: Facts): Promise<SignalsConfig | null> {
  if (signals.preset === null) return null;
  const { fittingVariant } = await import('../metrics/presets/variants.js');
  return fittingVariant(signals, namesAt(canary));
}

/** What is fatal has the reason as its advice where the system is known to lack what a canary is judged by. */
async function withReason(findings: Finding[], { canary }: Facts): Promise<Finding[]> {
  if (findings.every(({ level }) => level !== 'fatal')) return findings;
  const { recogniseUnavailable } = await import('../metrics/presets/variants.js');
  const [system] = recogniseUnavailable(namesAt(canary));
  if (system === undefined) return findings;
  const advice = `This is ${system.title}: ${system.words}.`;
  return findings.map((finding) =>
    finding.level === 'fatal' ? { ...finding, advice: finding.advice ?? advice } : finding,
  );
}

function namesAt({ places }: Facts['canary']): Set<string> {
  return new Set(places.flatMap(({ families, samples }) => [...families, ...samples].map(({ name }) => name)));
}

function variantFinding(preset: string | null, variant: string | null): Finding {
  const words = `preset ${variant} in place of ${preset}: the names that are there are those of ${variant}`;
  return { level: 'info', arm: null, signal: null, words };
}

/**
 * Refuses what can never work.
 * @param allowMissing lets what is only not there now pass as a warning
 * @returns the findings, as far as they stop nothing
 * @throws LukhasError FIRST_LOOK with all that is fatal, and what is nearest to it; SOURCE_UNREACHABLE where nothing answers
 */
export function refuseHopeless(findings: readonly Finding[], allowMissing = false): Finding[] {
  const kept = findings.map((finding): Finding => {
    if (!allowMissing || finding.mayAppear === undefined) return finding;
    const { mayAppear: _, ...rest } = finding;
    return { ...rest, level: 'warning' };
  });
  const fatal = kept.filter(({ level }) => level === 'fatal');
  if (fatal.length === 0) return kept;
  if (fatal.every(({ unanswered }) => unanswered)) throw unreachable(fatal);
  const more = fatal.length > MOST ? [`and ${fatal.length - MOST} more`] : [];
  const advice = [...new Set(fatal.flatMap(({ advice: what }) => what ?? []))];
  if (!allowMissing && fatal.every(({ mayAppear }) => mayAppear === true))
    advice.push('If it comes later, pass --allow-missing to start all the same.');
  throw new LukhasError('FIRST_LOOK', [...fatal.slice(0, MOST).map(lineOf), ...more].join('; '), {
    suggestions: advice,
  });
}

/** Both arms are read through one Prometheus, or at addresses of their own. */
function unreachable(fatal: readonly Finding[]): LukhasError {
  const all = [...new Set(fatal.map(({ words }) => words))];
  const more = all.length > MOST ? [`and ${all.length - MOST} more`] : [];
  return new LukhasError('SOURCE_UNREACHABLE', `nothing answers: ${[...all.slice(0, MOST), ...more].join('; ')}`, {
    suggestions: [
      ...new Set(fatal.flatMap(({ advice }) => advice ?? [])),
      'If it comes later, pass --allow-missing to start all the same.',
    ],
  });
}

const MOST = 4;

/** `canary latency: no series ...`. */
export function lineOf({ arm, signal, words }: Finding): string {
  const who = [arm, signal].filter((part) => part !== null).join(' ');
  return who === '' ? words : `${who}: ${words}`;
}
