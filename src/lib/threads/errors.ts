import { type ErrorCode, LukhasError } from '../errors.js';

/** A LukhasError as it crosses between threads: a copy of the object itself would arrive without its class and code. */
export interface SentError {
  code: ErrorCode;
  message: string;
  suggestions: readonly string[];
  exit: number;
  stack: string | undefined;
}

/** What a thread answers with. */
export type Answer<T> = { value: T } | { refused: SentError } | { failed: Error };

export function sentError(error: unknown): Exclude<Answer<never>, { value: never }> {
  if (error instanceof LukhasError) {
    const { code, message, suggestions, exit, stack } = error;
    return { refused: { code, message, suggestions, exit, stack } };
  }
  // Of an Error message and stack arrive; whatever else was thrown may not be a thing that can be sent.
  return { failed: error instanceof Error ? error : new Error(String(error)) };
}

export function receivedError({ code, message, suggestions, exit, stack }: SentError): LukhasError {
  const error = new LukhasError(code, message, { suggestions, exit });
  // Where it was thrown, not where it arrived.
  if (stack !== undefined) error.stack = stack;
  return error;
}
