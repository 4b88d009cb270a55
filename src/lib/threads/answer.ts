import { parentPort, workerData } from 'node:worker_threads';
import { type Answer, sentError } from './errors.js';

/** In a thread that `inThread` has started: does its work and sends the result or the error back. */
export async function answerInThread<Data, T>(work: (data: Data) => Promise<T>): Promise<void> {
  let answer: Answer<T>;
  try {
    answer = { value: await work(workerData as Data) };
  } catch (error) {
    answer = sentError(error);
  }
  parentPort?.postMessage(answer);
}
