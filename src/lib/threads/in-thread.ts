import type { Worker } from 'node:worker_threads';
import { type Answer, receivedError } from './errors.js';
import { startThread } from './start.js';

export interface ThreadWork {
  /** A script that calls `answerInThread`, without its ending. */
  name: string;
  /** `import.meta.url` of the file beside it. */
  beside: string;
  /** Copied to the thread. */
  data: unknown;
  /** Ends the thread. */
  signal?: AbortSignal | undefined;
  /** Of its JavaScript, MiB: a thread that needs more fails, and nothing else does. */
  heapMiB: number;
}

/**
 * Does work in a thread of its own, which ends with it. Whatever becomes of the thread is an error here: it cannot end the
 * process.
 * @throws the signal's reason; what the work throws, a LukhasError with its code; Error when the thread died
 */
export async function inThread<T>({ name, beside, data, signal, heapMiB }: ThreadWork): Promise<T> {
  signal?.throwIfAborted();
  const worker = startThread(name, beside, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 16 },
  });
  let stop: () => void = () => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      worker.once('message', (answer: Answer<T>) => {
        if ('value' in answer) resolve(answer.value);
        else reject('refused' in answer ? receivedError(answer.refused) : answer.failed);
      });
      worker.once('messageerror', reject).once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread ${name} ended with code ${code} and no answer`)));
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    end(worker);
  }
}

/** A call into SQLite cannot be cut short, so neither the caller nor the process waits for the end of the thread. */
function end(worker: Worker): void {
  worker.unref();
  // Dying, it may still report an error, which would end the process if nobody listened.
  worker.on('error', () => undefined);
  worker.terminate().catch(() => undefined);
}
