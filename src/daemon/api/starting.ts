import type { z } from 'zod';
import type { Clock } from '../../lib/clock.js';
import { HttpError, type RequestContext, type Route, sendJson } from '../http/index.js';
import { evalArguments, planArguments, planRequestOf, startArguments } from '../requests/index.js';
import type { Service } from '../service.js';
import { readJson } from './body.js';
import { Once } from './once.js';
import { refuse } from './refuse.js';

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
