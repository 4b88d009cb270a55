import { render } from 'ink';
import { type Style, type Suspend, WatchApp } from './app.js';
import { holdTerminal, stopJob } from './terminal.js';
import { Session, type SessionOptions } from './watch/session.js';

export interface WatchOptions extends SessionOptions, Style {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
}

/** Frames a second, at most. */
export const MOST_FRAMES = 10;

/**
 * Draws what is watched on the whole terminal until somebody quits, and leaves the terminal as it was, however it ends.
 * @returns the exit code: 0, that of a signal, or what `until` said
 * @throws what ended the following for good
 */
export async function showWatch(options: WatchOptions): Promise<number> {
  const { stdin, stdout, color, unicode } = options;
  const session = new Session(options);
  let suspend: Suspend | null = null;
  let failed: { error: unknown } | null = null;
  const ink = render(
    <WatchApp
      session={session}
      style={{ color, unicode }}
      suspend={stopJob}
      onReady={(given) => {
        suspend = given;
      }}
    />,
    {
      stdin,
      stdout,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: MOST_FRAMES,
      incrementalRendering: true,
      alternateScreen: true,
      interactive: true,
    },
  );
  const release = holdTerminal({
    leave: (exit) => {
      session.quit(exit);
      ink.unmount();
    },
    restore: () => ink.unmount(),
    suspend: async () => {
      const suspension = await suspend?.();
      return async () => suspension?.resume();
    },
  });
  const following = session.follow().catch((error: unknown) => {
    failed = { error };
    ink.unmount();
  });
  try {
    await ink.waitUntilExit();
  } finally {
    session.quit(0);
    ink.unmount();
    release();
    await following;
  }
  if (failed !== null) throw (failed as { error: unknown }).error;
  return session.exit ?? 0;
}
