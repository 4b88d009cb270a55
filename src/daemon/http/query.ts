import type { z } from 'zod';
import { HttpError } from './route.js';

/**
 * The parameters of a request's address, each as the list of its values.
 * @param examples a value for each parameter that there is, for messages
 * @throws HttpError 400 that says which one is wrong
 */
export function readQuery<T>(
  schema: z.ZodType<T>,
  { searchParams }: URL,
  examples: Readonly<Record<string, string>>,
): T {
  const names = [...new Set(searchParams.keys())];
  const read = schema.safeParse(Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new HttpError(400, `unknown parameter ${issue.keys.join(', ')}; use ${Object.keys(examples).join(', ')}`);
  const name = String(issue?.path[0] ?? '');
  const missing = issue?.code === 'invalid_type' && !searchParams.has(name);
  throw new HttpError(400, `${name} ${missing ? `is required, e.g. ${name}=${examples[name]}` : issue?.message}`);
}
