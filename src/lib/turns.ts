/** What probes and ticks wait for at most, before they have their turn. */
const SLICE_MS = 5;
/** Node.js accepts one new connection each time it looks at the network, so after work it looks several times: per ms, and at most. */
const LOOKS_PER_MS = 8;
const MOST_LOOKS = 40;

let due: (() => void)[] = [];
/** How long the work of the last turn took, ms. */
let took = 0;

/** Calls `work` when the event loop has looked at timers and the network, the more often the longer the work before it took. */
function afterLooks(work: () => void): void {
  due.push(work);
  if (due.length === 1) setImmediate(look);
}

function look(): void {
  lookAgain(Math.min(MOST_LOOKS, Math.floor(took * LOOKS_PER_MS)));
}

/** An immediate that is set by another one runs only after the next look. */
function lookAgain(left: number): void {
  if (left > 0) {
    setImmediate(lookAgain, left - 1);
    return;
  }
  const now = due;
  due = [];
  const began = performance.now();
  // Set before the work, so that it runs before the look that the work asks for. Idle time does not count.
  setImmediate(() => {
    took = performance.now() - began;
  });
  for (const work of now) work();
}

/**
 * Runs one piece of work in each turn of the event loop, with a look at timers and the network in between: however many pieces
 * wait, a probe is served after at most one of them.
 * @param left how many pieces wait
 * @param take takes the next of them from whoever holds them. It must not throw when it is called
 * @returns to be called when a piece was added
 */
export function oneATurn(left: () => number, take: () => (() => void) | undefined): () => void {
  let isScheduled = false;
  const schedule = (): void => {
    if (isScheduled || left() === 0) return;
    isScheduled = true;
    afterLooks(() => {
      isScheduled = false;
      const work = take();
      schedule();
      work?.();
    });
  };
  return schedule;
}

const waiting: (() => void)[] = [];
const schedule = oneATurn(
  () => waiting.length,
  () => waiting.shift(),
);

/** Resolves when it is the caller's turn, among all that wait in this process. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

/**
 * Keeps long work in slices, one in each turn of the event loop whoever does it. Awaiting what resolves at once (a read of the
 * database, say) lets nothing else run: neither a timer, nor a request that has come in meanwhile.
 */
export class Turns {
  #since = performance.now();

  /** Resolves at once within the first 5 ms; then everything else has its turn, and the next slice begins. Call it between short steps. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await turn();
    this.#since = performance.now();
  }
}
