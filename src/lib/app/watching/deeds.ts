import type { Clock } from '../../clock.js';
import type { Actor, CanaryState } from '../../ledger/index.js';
import { type Canary, isOpen } from '../../readings/index.js';
import { stateLook } from '../../view/index.js';
import { type App, openApp } from '../app.js';
import type { Config } from '../config.js';
import type { Deed } from './watching.js';

interface Asked {
  deed: Deed;
  id: string;
  reason: string;
}

const DEEDS: Readonly<Record<Deed, (app: App, id: string, by: Actor, reason: string) => Promise<Canary>>> = {
  abort: ({ canaries }, id, by, reason) => canaries.abort(id, by, reason),
  promote: ({ canaries }, id, by, reason) => canaries.override(id, by, reason),
  approve: ({ approvals }, id, by, reason) => approvals.approve(id, by, reason),
  reject: ({ approvals }, id, by, reason) => approvals.reject(id, by, reason),
};
const DONE: Readonly<Record<Deed, string>> = {
  abort: 'aborted',
  promote: 'promoted by hand',
  approve: 'approved',
  reject: 'rejected',
};

/**
 * Does what `lukhas canary abort`, `promote`, `approve` and `reject` do, under the name of whoever runs this process, on a
 * connection of its own: a promotion is driven until its hooks have been called, or the signal aborts.
 * @returns one line: what was done
 * @throws LukhasError as those commands
 */
export async function actLocally(config: Config, clock: Clock, asked: Asked, signal: AbortSignal): Promise<string> {
  const { deed, reason } = asked;
  const stops = deed === 'abort' || deed === 'reject';
  const app = await openApp({ config, clock, mustExist: true, mayBeOlder: stops });
  try {
    const id = await app.canaries.resolve(asked.id);
    const canary = await DEEDS[deed](app, id, config.actor, reason);
    return deedLine(deed, stops || !isOpen(canary) ? canary : await driven(app, id, signal));
  } finally {
    await app.close();
  }
}

async function driven(app: App, id: string, signal: AbortSignal): Promise<Canary> {
  const runner = app.runner();
  try {
    await runner.drive([id], signal);
  } finally {
    await runner.close();
  }
  return app.canaries.get(id);
}

/** `aborted c-m8k2x0: ABORTED`. */
export function deedLine(
  deed: Deed,
  { id, state, action }: { id: string; state: CanaryState; action?: Canary['action'] },
): string {
  const failed = action?.state === 'failed' ? `; hook "${action.failed}" FAILED` : '';
  return `${DONE[deed]} ${id}: ${stateLook(state).word}${failed}`;
}
