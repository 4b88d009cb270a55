import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Clock } from '../../lib/clock.js';
import { LukhasError } from '../../lib/errors.js';
import { asHttpError, HttpError, type RequestContext, type Route, sendError, sendJson } from '../http/index.js';
import { evalArguments, planArguments, planRequestOf, startArguments } from '../requests/index.js';
import type { Service } from '../service.js';
import { readJson } from './body.js';
import { Once } from './once.js';

export interface StartRoutesOptions {
  service: Pick<Service, 'plan' | 'runEval' | 'startCanary'>;
  clock: Clock;
  readOnly: boolean;
}

/** Starting canaries and jobs, and planning before: the same as the MCP tools start_canary, run_eval and plan. */
export function startRoutes({ service, clock, readOnly }: StartRoutesOptions): Route[] {
  return [
    {
      methods: ['POST'],
      path: '/api/plan',
      handle: answering(planArguments, async (args) => service.plan(planRequestOf(args))),
    },
    {
      methods: ['POST'],
      path: '/api/canary/start',
      handle: writing(startArguments, (args, { actor }) => service.startCanary(args, actor)),
    },
    {
      methods: ['POST'],
      path: '/api/job/start',
      handle: writing(evalArguments, (args, { actor }) => service.runEval(args, actor)),
    },
  ];

  function writing<S extends z.ZodType>(
    schema: S,
    act: (args: z.output<S>, context: RequestContext) => Promise<object>,
  ): Route['handle'] {
    const once = new Once<object>(clock);
    return async (request, response, context) => {
      if (readOnly) throw new HttpError(403, 'this daemon was started with --read-only: it changes nothing');
      const run = (args: z.output<S>) => once.run(request, context.actor.who, args, () => act(args, context));
      await answering(schema, run)(request, response, context);
    };
  }
}

function answering<S extends z.ZodType>(schema: S, act: (args: z.output<S>) => Promise<object>): Route['handle'] {
  return async (_, response, context) => {
    try {
      sendJson(response, 200, await act(await readJson(schema, context)));
    } catch (error) {
      refuse(response, error);
    }
  };
}

/** Names of what can be wrong, the longer before those within them. */
const FIELDS = [
  ...['modelId', 'fromGate', 'toGate', 'windowSeconds', 'latency_p95_ms', 'max_error_rate', 'max_drift'],
  ...['requestsPerSecond', 'expectedErrorRate', 'expectedSlowRate', 'taskId', 'configId'],
];

/** Says beside the error which field it is about, which of our errors it is, and what to do, for a form to show it there. */
function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError && error.status === 400) sendError(response, error, { field: fieldOf(error.message) });
  else if (error instanceof LukhasError)
    sendError(response, asHttpError(error), {
      reason: error.code,
      field: fieldOf(error.message),
      suggestions: error.suggestions.map(asArguments),
    });
  else throw error;
}

/** Where the message names one. */
function fieldOf(message: string): string | null {
  const places = FIELDS.map((name) => ({ name, at: message.search(new RegExp(`\\b${name}\\b`)) }));
  const [first] = places.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at);
  return first?.name ?? null;
}

/** Advice of the library names flags of the command. */
function asArguments(text: string): string {
  return text
    .replace('--allow-missing', '"allowMissing": true')
    .replace('--allow-shared-series', '"allowSharedSeries": true');
}
