import { Worker, type WorkerOptions } from 'node:worker_threads';
import { leaveDeletedDirectory } from './working-directory.js';

/**
 * Starts a script as a thread: the compiled one beside the caller's chunk (an entry point of scripts/build.js), or, in the
 * tests, the TypeScript one beside the caller's source.
 * @param name without ending
 * @param beside `import.meta.url` of the caller
 */
export function startThread(name: string, beside: string, more: Omit<WorkerOptions, 'name'>): Worker {
  leaveDeletedDirectory();
  // Named, so that `top -H` tells what it is.
  const options = { ...more, name };
  const fromSource = beside.endsWith('.ts');
  const script = new URL(`./${name}${fromSource ? '.ts' : '.js'}`, beside);
  if (!fromSource) return new Worker(script, options);
  // A thread does not inherit its process' TypeScript loader.
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(script.href)}); })`;
  return new Worker(load, { ...options, eval: true });
}
