import { z } from 'zod';
import type { App } from '../../lib/app/index.js';
import { canaryJson } from '../../lib/app/index.js';
import type { Actor } from '../../lib/ledger/index.js';
import type { Canary } from '../../lib/readings/index.js';
import { HttpError, type Route, sendJson } from '../http/index.js';
import { readJson } from './body.js';
import { refuse } from './refuse.js';

export interface ActionRoutesOptions {
  app: Pick<App, 'canaries' | 'approvals'>;
  readOnly: boolean;
  /** A canary was changed: its driver has something to do. */
  onChanged(): void;
}

const wanted = z.strictObject({
  id: z.string().min(1, 'is empty').max(200, 'is too long'),
  reason: z.string().trim().min(1, 'is empty: say why, it is recorded in the log').max(1000, 'is too long'),
});

type Act = (id: string, by: Actor, reason: string) => Promise<Canary>;

/** What a person decides about a canary, each with a reason that is recorded. */
export function actionRoutes({ app, readOnly, onChanged }: ActionRoutesOptions): Route[] {
  const { canaries, approvals } = app;
  const acts: Readonly<Record<string, Act>> = {
    abort: (id, by, reason) => canaries.abort(id, by, reason),
    promote: (id, by, reason) => canaries.override(id, by, reason),
    approve: (id, by, reason) => approvals.approve(id, by, reason),
    reject: (id, by, reason) => approvals.reject(id, by, reason),
  };
  return Object.entries(acts).map(([verb, act]) => ({
    methods: ['POST'],
    path: `/api/canary/${verb}`,
    handle: async (_, response, context) => {
      if (readOnly) throw new HttpError(403, 'this daemon was started with --read-only: it changes nothing');
      const { id, reason } = await readJson(wanted, context);
      try {
        const canary = await act(await canaries.resolve(id), context.actor, reason);
        onChanged();
        const { canaryId, status } = canaryJson(canary);
        sendJson(response, 200, { canaryId, status });
      } catch (error) {
        refuse(response, error);
      }
    },
  }));
}
