import { readdir, readFile } from 'node:fs/promises';
import { isUnreadable, speaksOfOurPids } from './proc.js';

/** Processes that were started with a variable set so, by their environment; those that we may not look into are left out. */
export async function processesWith(name: string, value: string): Promise<number[]> {
  const entry = `\0${name}=${value}\0`;
  const found: number[] = [];
  for (const pid of await listed()) {
    try {
      if (`\0${await readFile(`/proc/${pid}/environ`, 'utf8')}\0`.includes(entry)) found.push(pid);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  return found.filter((pid) => pid !== process.pid);
}

async function listed(): Promise<number[]> {
  // Whoever asks sends a signal to what is found.
  if (!speaksOfOurPids()) return [];
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}
