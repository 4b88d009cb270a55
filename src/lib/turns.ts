/** What probes and ticks wait for at most, before they have their turn. */
const SLICE_MS = 5;
/** Node.js accepts one new connection each time it looks at the network, so after work it looks several times: per ms, and at most. */
const LOOKS_PER_MS = 8;
const MOST_LOOKS = 40;

let due: (() => void)[] = [];
let began = performance.now();

/**
 * Calls `work` when the event loop has looked at timers and the network, the more often the longer the work before it took.
 * @param work must not throw
 */
export function afterLooks(work: () => void): void {
  due.push(work);
  if (due.length === 1) setImmediate(look);
}

function look(): void {
  const looks = Math.min(MOST_LOOKS, Math.floor((performance.now() - began) * LOOKS_PER_MS));
  lookAgain(looks);
}

/** An immediate that is set by another one runs only after the next look. */
function lookAgain(left: number): void {
  if (left > 0) {
    setImmediate(lookAgain, left - 1);
    return;
  }
  const now = due;
  due = [];
  began = performance.now();
  for (const work of now) work();
}

const waiting: (() => void)[] = [];
let isScheduled = false;

/**
 * Resolves when it is the caller's turn: of all that wait in this process the first goes on, then the event loop looks at timers
 * and the network, then the next one goes on. However many wait, a probe is served after at most one of them.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

function schedule(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  afterLooks(() => {
    isScheduled = false;
    const goOn = waiting.shift();
    schedule();
    goOn?.();
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
