import type { App } from '../lib/app/index.js';
import { tell } from './screen.js';

/** Progress of a canary that a command drives. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void;
  /** A check was made; what is shown now may be overwritten. */
  status(line: string): void;
  stop(): Promise<void>;
}

/** Whether a view can be drawn: a person sees both streams, on a terminal that can do more than print. */
export function canDraw(): boolean {
  return process.stdout.isTTY === true && process.stderr.isTTY === true && process.env['TERM'] !== 'dumb';
}

/** Colour only where it is wanted. */
export function colorsWanted(noColor: boolean | undefined): boolean {
  return !noColor && !process.env['NO_COLOR'];
}

/** Draws a canary on standard error while this process drives it; Ink is loaded for that alone. */
export async function drawCanary(app: App, id: string, noColor: boolean | undefined): Promise<Progress> {
  const [{ showCanary, hasUnicode }, { recordReader }] = await Promise.all([
    import('../tui/index.js'),
    import('../lib/app/watching/record-reader.js'),
  ]);
  const shown = showCanary({
    id,
    read: recordReader(app),
    clock: app.clock,
    stream: process.stderr,
    color: colorsWanted(noColor),
    unicode: hasUnicode(process.env),
  });
  return { say: shown.say, status: shown.changed, stop: shown.stop };
}

/** As it was before there was a view: one line that is overwritten where there is a terminal, lines that stay elsewhere. */
export function plainProgress(status: { update(line: string): void; clear(): void } | null): Progress {
  return {
    say: (line) => {
      status?.clear();
      tell(line);
    },
    status: (line) => status?.update(line),
    stop: async () => status?.clear(),
  };
}
