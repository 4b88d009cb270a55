import * as z from 'zod';
import { inputError, parseInput, parseText } from '../input/index.js';
import type { Policy } from './policy.js';
import { completePolicy, policyContradictions } from './policy-defaults.js';
import { policySchema } from './policy-format.js';

/**
 * Checks a policy as a user writes it and fills in every default. `{windowSeconds, targets: {max_error_rate}}` is enough;
 * a complete policy comes back unchanged.
 * @param where what the message names as the place: a file, a flag, an argument
 * @throws LukhasError POLICY; the first line is the first problem, further ones follow
 */
export function parsePolicy(input: unknown, where = 'policy'): Policy {
  const policy = completePolicy(parseInput(policySchema, input, where, 'POLICY'));
  const problems = policyContradictions(policy);
  if (problems.length > 0) throw inputError('POLICY', where, problems);
  return policy;
}

/** The same from the text of a file, JSON or YAML; mistakes of syntax come with line and column. */
export async function parsePolicyText(text: string, where: string): Promise<Policy> {
  return parsePolicy(await parseText(text, where, 'POLICY'), where);
}

/** JSON Schema 2020-12 of what `parsePolicy` takes, for editors and API documents. */
export function policyJsonSchema(): object {
  return z.toJSONSchema(policySchema, { io: 'input', target: 'draft-2020-12' });
}
