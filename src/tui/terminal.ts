/** What a program that fills the terminal owes to whoever uses it next, whatever ends or stops it. */
export interface Terminal {
  /** Ends in order, with this exit code; null: somebody else listens to the signals that end it. */
  leave: ((exit: number) => void) | null;
  /** At once: the process is about to end. */
  restore(): void;
  /** Hands the terminal back; what it resolves with takes it again and draws everything again. */
  suspend(): Promise<() => Promise<void>>;
}

const ENDS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Listens to the signals of the terminal and its shell. A second signal of a kind ends the process where it is.
 * @returns no listener is left once it is called
 */
export function holdTerminal(terminal: Terminal): () => void {
  let stopped: (() => Promise<void>) | null = null;
  const onStop = (): void => {
    if (stopped !== null) return;
    void terminal.suspend().then((resume) => {
      stopped = resume;
      process.kill(process.pid, 'SIGSTOP');
    });
  };
  const onContinue = (): void => {
    const resume = stopped;
    stopped = null;
    // Stopped without being asked (SIGSTOP): whoever had the terminal meanwhile may have left it in any state.
    void (resume === null ? terminal.suspend().then((again) => again()) : resume());
  };
  const { leave } = terminal;
  const ends = leave === null ? [] : Object.entries(ENDS);
  const listeners: [string, () => void][] = [
    ...ends.map(([name, exit]): [string, () => void] => [name, () => leave?.(exit)]),
    ['SIGTSTP', onStop],
    ['SIGCONT', onContinue],
  ];
  for (const [name, listener] of listeners) {
    if (name in ENDS) process.once(name, listener);
    else process.on(name, listener);
  }
  // Before anybody says what went wrong: it would be said on a screen that is about to vanish.
  const restore = (): void => terminal.restore();
  process.on('uncaughtExceptionMonitor', restore);
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
    process.off('uncaughtExceptionMonitor', restore);
  };
}

/** As the terminal does when Ctrl-Z is pressed and nobody has switched that off: the whole job stops. */
export function stopJob(): void {
  process.kill(0, 'SIGTSTP');
}
