import { systemClock } from '../lib/clock.js';
import type { Replay } from '../lib/replay/replay.js';
import { requestOf, selectionOf } from './replay-flags.js';

type ReplayFlags = Parameters<typeof selectionOf>[0] & { db?: string | undefined; config?: string | undefined };

/**
 * Replays what the flags select.
 * @param say told, in words, when there is no log yet
 */
export async function runReplay(flags: ReplayFlags, say: (message: string) => void): Promise<Replay> {
  const request = await requestOf(flags);
  const { replayInput, replayLog } = await import('../lib/runtime/replay.js');
  if (flags.input !== undefined) {
    const { counterfactualPolicy } = await import('../lib/replay/change-policy.js');
    // Nothing says under which policy an input was recorded: what is changed is compared with the file as it stands.
    const changed = request.settings.length + request.axes.length > 0;
    const own = changed ? counterfactualPolicy(request.given, null, []) : null;
    return replayInput({ input: flags.input, modelId: flags.model ?? null, own }, request);
  }
  const clock = systemClock();
  const selection = await selectionOf(flags, clock.now());
  const { loadConfig } = await import('../lib/runtime/config.js');
  const { dbPath } = await loadConfig({ flags: { db: flags.db, config: flags.config } });
  // A path that was just typed is a mistake when nothing is there; the usual place may be empty still.
  const replayed = await replayLog(dbPath, clock, selection, request, { mustExist: flags.db !== undefined });
  if (replayed.result.log === null) say(`no log at ${dbPath} yet: nothing has been recorded`);
  return replayed;
}
