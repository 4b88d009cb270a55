import { Box, Text, useApp, useInput, useWindowSize } from 'ink';
import { memo, useEffect, useReducer } from 'react';
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
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(
    () =>
      session.onChange(() => {
        if (session.exit === null) redraw();
        else exit();
      }),
    [session, exit],
  );
  useInput((input, key) => {
    for (const one of keysOf(input, key)) {
      if (one === 'ctrl-z') suspend();
      else session.key(one);
    }
  });
  return <Rows lines={screenLines(session, size)} style={style} />;
}
