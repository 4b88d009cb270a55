import { stat } from 'node:fs/promises';
import { Canaries, recordedCanary, type StartedFilter, startedCanaries } from '../canary/index.js';
import type { Clock } from '../clock.js';
import { LukhasError } from '../errors.js';
import { nearest } from '../input/index.js';
import type { Observation, Policy } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { openLedger } from '../ledger/sqlite/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import { verifyDatabase } from '../ledger/verify/index.js';
import { openNdjson } from '../metrics/index.js';
import type { Recording } from '../replay/index.js';
import { type Replay, type ReplayRequest, replay } from '../replay/index.js';

/** Which canaries to replay: those named, or those that began within a time. */
export interface Selection extends StartedFilter {
  /** Ids, or unique beginnings of them. */
  canaryIds: readonly string[];
}

type Asked = Omit<ReplayRequest, 'log' | 'from' | 'to' | 'modelId'>;

/**
 * Replays canaries of a log. The log is verified first; one that does not hold is not judged.
 * @param path the database; unless it must exist, a missing one holds no canary
 * @throws LukhasError VERIFICATION, NOT_FOUND, AMBIGUOUS_ID, POLICY, USAGE, LEDGER_*
 */
export async function replayLog(
  path: string,
  clock: Clock,
  selection: Selection,
  asked: Asked,
  { mustExist = true }: { mustExist?: boolean } = {},
): Promise<Replay> {
  const { from, to, modelId, canaryIds } = selection;
  const log = mustExist || (await isThere(path)) ? await verifiedLog(path) : null;
  const request: ReplayRequest = { ...asked, from, to, modelId, log };
  if (log === null) {
    if (canaryIds[0] !== undefined)
      throw new LukhasError('NOT_FOUND', `Canary "${canaryIds[0]}" not found: there is no log at ${path} yet.`);
    return replay([], request);
  }
  const ledger = await openLedger(path, { readOnly: true });
  try {
    return await replay(await recordings(ledger, new Canaries(ledger, clock), log.size, selection), request);
  } finally {
    await ledger.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function verifiedLog(path: string): Promise<{ size: number; root: string }> {
  const { ok, size, root, firstBad, problems } = await verifyDatabase(path);
  if (ok) return { size, root };
  const what = firstBad ? `entry ${firstBad.seq}: ${firstBad.what}` : (problems[0] ?? 'it was changed');
  throw new LukhasError('VERIFICATION', `The log ${path} failed verification, so nothing was judged: ${what}`, {
    suggestions: [`List all problems: lukhas verify --db ${path}`],
  });
}

async function recordings(
  ledger: Ledger,
  canaries: Canaries,
  size: number,
  selection: Selection,
): Promise<Recording[]> {
  if (selection.canaryIds.length > 0) {
    const ids = new Set<string>();
    for (const prefix of selection.canaryIds) ids.add(await canaries.resolve(prefix));
    const found: Recording[] = [];
    for (const id of ids) {
      const recording = await recordedCanary(ledger, id, size);
      if (recording === null)
        throw new LukhasError('USAGE', `Canary ${id} has not started: there is nothing to replay.`);
      found.push(recording);
    }
    return found.sort((a, b) => a.startedAt - b.startedAt || (a.canaryId < b.canaryId ? -1 : 1));
  }
  const { ids, models } = await startedCanaries(ledger, size, selection);
  const { modelId } = selection;
  if (modelId !== null && models.length > 0 && !models.includes(modelId)) throw unknownModel(modelId, models);
  const found = await Promise.all(ids.map((id) => recordedCanary(ledger, id, size)));
  return found.filter((recording) => recording !== null);
}

function unknownModel(modelId: string, models: readonly string[]): LukhasError {
  const meant = nearest(modelId, models);
  return new LukhasError('NOT_FOUND', `Model ${JSON.stringify(modelId)} has no canary in this log.`, {
    suggestions: [meant === null ? 'List them: lukhas canary list' : `Did you mean ${meant}?`],
  });
}

/** What was not recorded by a canary of a log: a file of observations (docs/observations.md). */
export interface InputSelection {
  /** Path, or `-` for standard input. */
  input: string;
  modelId: string | null;
  /** The policy to compare with; null: only the other one is judged. */
  own: Policy | null;
}

/** @throws LukhasError OBSERVATION, POLICY, USAGE, CONFIG */
export async function replayInput({ input, modelId, own }: InputSelection, asked: Asked): Promise<Replay> {
  const observations = await readObservations(input);
  const [first] = observations;
  if (first === undefined) throw new LukhasError('OBSERVATION', `${input}: no observations found`);
  const lines = observations.map((observation) => canonicalJson(observation, 'observation'));
  const recording: Recording = {
    canaryId: 'input',
    modelId: modelId ?? 'unnamed',
    fromGate: 'unknown',
    toGate: 'unknown',
    startedAt: first.from,
    own,
    decided: null,
    undecided: own === null ? 'the input has no recorded policy' : null,
    overridden: null,
    async *lines() {
      yield* lines;
    },
  };
  return replay([recording], { ...asked, from: null, to: null, modelId, log: null });
}

async function readObservations(input: string): Promise<Observation[]> {
  const source = openNdjson({ input });
  const observations: Observation[] = [];
  const request = {
    modelId: '',
    canaryGate: '',
    baselineGate: '',
    windowSeconds: 0,
    at: 0,
    scalars: [],
    withBaseline: true,
  };
  try {
    await source.check();
    for (let cursor: unknown = null; ; ) {
      const reading = await source.read({ ...request, cursor });
      if (reading.ended) return observations;
      const tick = reading.observation.tick ?? observations.length + 1;
      observations.push({ ...reading.observation, tick });
      cursor = reading.cursor;
    }
  } finally {
    await source.close();
  }
}
