import type { App } from '../../lib/app/index.js';
import { policyOfFile } from '../../lib/app/index.js';
import type { Policy } from '../../lib/judge/index.js';
import { type Route, sendJson } from '../http/index.js';
import type { Service } from '../service.js';

export interface ChoiceRoutesOptions {
  app: Pick<App, 'config' | 'jobs'>;
  service: Pick<Service, 'listCanaries' | 'listGates' | 'listPolicies'>;
}

/** Of policies, models and gates, the newest. */
const MOST = 20;

/** What a canary or a job can be started with here: for a form. Holds no address and no secret. */
export function choiceRoutes({ app, service }: ChoiceRoutesOptions): Route[] {
  const { config, jobs } = app;
  return [
    {
      methods: ['GET'],
      path: '/api/policies',
      handle: async (_, response) => {
        const [configured, recorded, holders, { summaries }] = await Promise.all([
          config.policyPath === null ? null : policyOfFile(config.policyPath),
          service.listPolicies(MOST),
          service.listGates(),
          service.listCanaries({ limit: MOST * 2 }),
        ]);
        const gates = new Map<string, string | null>(holders.map(({ gate, modelId }) => [gate, modelId]));
        for (const { data } of summaries)
          for (const gate of [data['fromGate'], data['toGate']])
            if (typeof gate === 'string' && !gates.has(gate)) gates.set(gate, null);
        sendJson(response, 200, {
          configured: configured && { name: nameOf(configured), policy: configured },
          recorded: recorded.map(({ id, policy }) => ({ id, name: nameOf(policy), policy })),
          gates: [...gates].map(([gate, modelId]) => ({ gate, modelId })),
          models: [...new Set(summaries.map(({ modelId }) => modelId))].slice(0, MOST),
          tasks: jobs.tasks(),
          source: config.source.kind,
          hooks: { promote: config.hooks.promote.length, rollback: config.hooks.rollback.length },
        });
      },
    },
  ];
}

function nameOf({ name }: Policy): string | null {
  return name ?? null;
}
