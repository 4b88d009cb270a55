import type { ServerResponse } from 'node:http';
import { LukhasError } from '../../lib/errors.js';
import { asHttpError, HttpError, sendError } from '../http/index.js';

/** Names of what can be wrong, the longer before those within them. */
const FIELDS = [
  ...['modelId', 'fromGate', 'toGate', 'windowSeconds', 'latency_p95_ms', 'max_error_rate', 'max_drift'],
  ...['requestsPerSecond', 'expectedErrorRate', 'expectedSlowRate', 'taskId', 'configId'],
];

/** Says beside the error which field it is about, which of our errors it is, and what to do, for a form to show it there. */
export function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError && error.status === 400) sendError(response, error, { field: fieldOf(error.message) });
  else if (error instanceof LukhasError)
    sendError(response, asHttpError(error), {
      reason: error.code,
      field: fieldOf(error.message),
      suggestions: error.suggestions.map(asArguments),
    });
  else throw error;
}

/** Where the message names one. */
function fieldOf(message: string): string | null {
  const places = FIELDS.map((name) => ({ name, at: message.search(new RegExp(`\\b${name}\\b`)) }));
  const [first] = places.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at);
  return first?.name ?? null;
}

/** Advice of the library names flags of the command. */
function asArguments(text: string): string {
  return text
    .replace('--allow-missing', '"allowMissing": true')
    .replace('--allow-shared-series', '"allowSharedSeries": true');
}
