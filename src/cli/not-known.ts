import { LukhasError } from '../lib/errors.js';

/** The error for a name that the log does not know. */
export function notKnown(sentence: string | null): LukhasError {
  return new LukhasError('NOT_FOUND', sentence ?? 'Not found: no canary, promotion, job or model has this name.', {
    suggestions: [
      'List what exists: lukhas canary list, lukhas gate list',
      'Is it in another database? Pass --db or set LUKHAS_MCP_DB.',
    ],
  });
}
