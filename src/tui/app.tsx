import { Box, Text, useApp, useInput, useWindowSize, type WindowSize } from 'ink';
import { memo, useCallback, useEffect, useReducer, useRef } from 'react';
import { inAscii } from './draw/ascii.js';
import type { Line, Span } from './draw/line.js';
import { lineText } from './draw/line.js';
import { screenLines } from './screens/screen.js';
import { keysOf } from './watch/keys.js';
import type { Session } from './watch/session.js';

/** How a terminal shows things. */
export interface Style {
  color: boolean;
  unicode: boolean;
}

const COLORS: Readonly<Record<NonNullable<Span['tone']>, { color?: string; dimColor?: boolean }>> = {
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red' },
  active: { color: 'cyan' },
  idle: { dimColor: true },
  quiet: { dimColor: true },
};

function lookOf({ tone, bold = false, inverse = false }: Span, { color }: Style) {
  // Without colours nothing is lost: every state has its icon and word, the selected row its mark.
  return color ? { ...(tone === undefined ? {} : COLORS[tone]), bold, inverse } : {};
}

const Row = memo(
  function Row({ line, style }: { line: Line; style: Style }) {
    const shown = style.unicode ? line : inAscii(line);
    return (
      <Text wrap="truncate-end">
        {lineText(shown) === ''
          ? ' '
          : shown.map((part, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a part is what its place is
              <Text key={i} {...lookOf(part, style)}>
                {part.text}
              </Text>
            ))}
      </Text>
    );
  },
  (before, after) => before.style === after.style && isSame(before.line, after.line),
);

function isSame(a: Line, b: Line): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ text, tone, bold, inverse }, i) =>
        b[i]!.text === text && b[i]!.tone === tone && b[i]!.bold === bold && b[i]!.inverse === inverse,
    )
  );
}

/** Lines below one another. */
export function Rows({ lines, style }: { lines: readonly Line[]; style: Style }) {
  return (
    <Box flexDirection="column">
      {lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is what its place is
        <Row key={i} line={line} style={style} />
      ))}
    </Box>
  );
}

type Draw = (columns: number, rows: number) => readonly Line[];

/** What is drawn in a terminal of this size. Ink lays out a whole frame each time it is asked: `changed` asks only where it differs. */
export function useLines(draw: Draw, { columns, rows }: WindowSize) {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const next = useRef<{ lines: readonly Line[]; columns: number; rows: number } | null>(null);
  const waiting = next.current;
  next.current = null;
  const fresh = waiting !== null && waiting.columns === columns && waiting.rows === rows;
  const lines = fresh ? waiting.lines : draw(columns, rows);
  const drawn = useRef({ draw, lines, columns, rows });
  drawn.current = { draw, lines, columns, rows };
  const changed = useCallback(() => {
    const { draw: again, lines: before, ...size } = drawn.current;
    const made = again(size.columns, size.rows);
    const latest = next.current?.lines ?? before;
    if (made.length === latest.length && made.every((one, i) => isSame(one, latest[i]!))) return;
    next.current = { lines: made, ...size };
    redraw();
  }, []);
  return { lines, changed };
}

/** Hands the terminal back until `resume`. */
export type Suspend = () => Promise<{ resume(): Promise<void> }>;

export interface WatchProps {
  session: Session;
  style: Style;
  /** Ctrl-Z was pressed. */
  suspend(): void;
  onReady(suspend: Suspend): void;
}

/** The live view, full screen. */
export function WatchApp({ session, style, suspend, onReady }: WatchProps) {
  const size = useWindowSize();
  const { exit, suspendTerminal } = useApp();
  useEffect(() => onReady(() => suspendTerminal()), [onReady, suspendTerminal]);
  const { lines, changed } = useLines((columns, rows) => screenLines(session, { columns, rows }), size);
  useEffect(
    () =>
      session.onChange(() => {
        if (session.exit === null) changed();
        else exit();
      }),
    [session, exit, changed],
  );
  useInput((input, key) => {
    for (const one of keysOf(input, key)) {
      if (one === 'ctrl-z') suspend();
      else session.key(one);
    }
  });
  return <Rows lines={lines} style={style} />;
}
