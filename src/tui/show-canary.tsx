import { render, useApp, useStdout, useWindowSize } from 'ink';
import { useEffect } from 'react';
import type { Clock } from '../lib/clock.js';
import type { CanaryRecord } from '../lib/view/index.js';
import { Rows, type Style, type Suspend, useLines } from './app.js';
import { inAscii } from './draw/ascii.js';
import { type Line, line, lineText } from './draw/line.js';
import { inlineLines } from './screens/inline.js';
import { MOST_FRAMES } from './show-watch.js';
import { holdTerminal } from './terminal.js';
import { Records } from './watch/record.js';

export interface CanaryOptions extends Style {
  id: string;
  read(id: string): Promise<CanaryRecord>;
  clock: Clock;
  /** Where it is drawn. */
  stream: NodeJS.WriteStream;
}

/** One canary, drawn where the cursor is while a command drives it. */
export interface CanaryShown {
  /** Something happened to it. */
  changed(): void;
  /** A line that stays, above what is drawn. */
  say(text: string): void;
  /** Takes the drawing away: what is printed next stands where it was. */
  stop(): Promise<void>;
}

interface Controls {
  redraw(): void;
  write(text: string): void;
  suspend: Suspend;
}

/** Reads no keys: Ctrl-C is that of the command. */
export function showCanary({ id, read, clock, stream, color, unicode }: CanaryOptions): CanaryShown {
  let controls: Controls | null = null;
  const style = { color, unicode };
  const stop = new AbortController();
  const records = new Records(read, clock, () => controls?.redraw());
  records.show(id);
  const draw = (columns: number, rows: number): readonly Line[] => {
    const { drawn } = records;
    if (drawn === null) return [];
    const { view, course, record } = drawn;
    const shown = {
      view,
      course,
      gate: record.gate,
      checks: record.observations.length,
      now: clock.now(),
      rows,
      // The last column stays free: a line that fills it is wrapped by some terminals.
      width: columns - 1,
    };
    return inlineLines(shown, rows);
  };
  const onReady = (given: Controls): void => {
    controls = given;
  };
  const ink = render(<Inline draw={draw} style={style} onReady={onReady} />, {
    stdout: stream,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: MOST_FRAMES,
    incrementalRendering: true,
    interactive: true,
  });
  const end = (): void => {
    stop.abort();
    records.close();
    // A frame that still waits would be drawn at the end, below which nothing is taken away any more.
    ink.rerender(<Inline draw={() => []} style={style} onReady={onReady} />);
    ink.clear();
    ink.unmount();
  };
  const release = holdTerminal({
    leave: null,
    restore: end,
    suspend: async () => {
      const suspension = await controls?.suspend();
      return async () => suspension?.resume();
    },
  });
  const ticking = tick(clock, stop.signal, () => controls?.redraw());
  return {
    changed: () => records.refresh(),
    say: (text) => controls?.write(`${lineText(unicode ? line(text) : inAscii(line(text)))}\n`),
    stop: async () => {
      end();
      release();
      await ink.waitUntilExit();
      await ticking;
    },
  };
}

/** The time that is left changes by itself. */
async function tick(clock: Clock, signal: AbortSignal, redraw: () => void): Promise<void> {
  try {
    while (!signal.aborted) {
      await clock.sleep(1000, signal);
      redraw();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface InlineProps {
  draw(columns: number, rows: number): readonly Line[];
  style: Style;
  onReady(controls: Controls): void;
}

function Inline({ draw, style, onReady }: InlineProps) {
  const { lines, changed } = useLines(draw, useWindowSize());
  const { suspendTerminal } = useApp();
  const { write } = useStdout();
  useEffect(
    () => onReady({ redraw: changed, write, suspend: () => suspendTerminal() }),
    [onReady, changed, write, suspendTerminal],
  );
  return <Rows lines={lines} style={style} />;
}
