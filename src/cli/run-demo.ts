import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { Fault } from '../demo/index.js';
import { DEMO_POLICY, startWorkload, type Workload } from '../demo/index.js';
import type { App } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { visible } from '../lib/input/index.js';
import { parsePolicy } from '../lib/judge/index.js';
import { ALL_SERIES, DEFAULT_SIGNALS } from '../lib/metrics/index.js';
import type { Canary } from '../lib/readings/index.js';
import { requireDemoPlace } from './demo-place.js';
import { canDraw, drawCanary } from './drawing.js';
import { watchToVerdict } from './watch-verdict.js';

const MODEL = 'fraud-v2';
const FROM = 'stage';
const TO = 'production';

export interface DemoResult {
  canary: Canary;
  interrupted: number | null;
  /** Why the canary could not be aborted in the log, after an interruption. */
  notAborted?: string;
  sent: { canary: number; baseline: number };
}

export interface DemoOptions {
  fault: Fault;
  quiet: boolean;
  noColor: boolean | undefined;
}

interface Context {
  workload: Workload;
  result: Omit<DemoResult, 'sent'>;
}

/** Starts the demo workload, runs a canary on it to its verdict, and stops the workload whatever happens. */
export async function runDemo(app: App, options: DemoOptions): Promise<DemoResult> {
  requireDemoPlace(app.config);
  const control = new AbortController();
  const context = {} as Context;
  const steps = new Listr<Context>(
    [
      {
        title: 'Start a small model service in two versions: fraud-v1 (production) and fraud-v2 (stage)',
        task: async (c, task) => {
          c.workload = await startWorkload({
            fault: options.fault,
            canaryGate: FROM,
            baselineGate: TO,
            models: { canary: MODEL, baseline: 'fraud-v1' },
            // The fault comes so long after the first request: checks have to have begun by then, on a slow machine too.
            sendsLater: true,
            signal: control.signal,
          });
          task.title += `\n${c.workload.canaryUrl} (fault: ${options.fault}), ${c.workload.baselineUrl}`;
        },
      },
      {
        title: 'Check fraud-v2 while it serves real traffic',
        task: async (c, task) => {
          const { startCanary } = await import('../lib/app/start-canary.js');
          const { canary } = await startCanary(app, {
            modelId: MODEL,
            fromGate: FROM,
            toGate: TO,
            policy: parsePolicy(DEMO_POLICY, 'demo policy'),
            source: {
              kind: 'scrape',
              canaryUrls: [c.workload.canaryUrl],
              baselineUrls: [c.workload.baselineUrl],
              arms: ALL_SERIES,
              signals: DEFAULT_SIGNALS,
              timeoutMs: 2000,
            },
            dryRun: false,
            by: app.config.actor,
          });
          c.workload.send();
          c.result = await watched(app, canary.id, task, options);
          if (c.result.interrupted !== null) {
            const reason = 'the demo and its services were stopped';
            try {
              c.result.canary = await app.canaries.abort(canary.id, app.config.actor, reason);
            } catch (error) {
              // Told beside the exit code of the signal, which stays.
              if (!(error instanceof LukhasError)) throw error;
              c.result.notAborted = error.message;
            }
          }
        },
      },
    ],
    { ctx: context, ...renderer(options.quiet), registerSignalListeners: false },
  );
  try {
    await steps.run();
    const stats = context.workload.stats();
    return { ...context.result, sent: { canary: stats.canary.sent, baseline: stats.baseline.sent } };
  } finally {
    control.abort();
    await context.workload?.stop();
  }
}

/** Draws the canary below the step, where there is somebody to see it; else says how it goes in lines of the step. */
async function watched(
  app: App,
  id: string,
  task: { output: string },
  { quiet, noColor }: DemoOptions,
): Promise<Context['result']> {
  if (!quiet && canDraw()) {
    const drawn = await drawCanary(app, id, noColor);
    try {
      return await watchToVerdict(app, id, { say: drawn.say, status: drawn.status });
    } finally {
      await drawn.stop();
    }
  }
  const show = (line: string): void => {
    task.output = visible(line);
  };
  return watchToVerdict(app, id, { say: show, ...(process.stderr.isTTY ? { status: show } : {}) });
}

/** Progress belongs on stderr; stdout is for the verdict. */
function renderer(quiet: boolean) {
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  return {
    renderer: 'default' as const,
    fallbackRenderer: 'simple' as const,
    // What draws by itself would draw over the canary.
    fallbackRendererCondition: () => !process.stderr.isTTY || canDraw(),
    silentRendererCondition: () => quiet,
    rendererOptions: { logger, collapseSubtasks: false },
    fallbackRendererOptions: { logger },
  };
}
