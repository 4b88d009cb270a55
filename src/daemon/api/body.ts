import type { z } from 'zod';
import { HttpError, type RequestContext } from '../http/index.js';

/** The JSON of a request's body. @throws HttpError 400 that says what is wrong, 413 */
export async function readJson<S extends z.ZodType>(
  schema: S,
  context: Pick<RequestContext, 'body'>,
): Promise<z.output<S>> {
  const text = (await context.body()).toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is not valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HttpError(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is not valid'}`);
}
