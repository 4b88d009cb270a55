import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { parseVkey, SIGNATURE_TYPE } from '../formats/index.js';

const url = z.string().superRefine((text, context) => {
  const message = addressProblem(text);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

const path = z.string().min(1);

const vkey = z.string().transform((text, context) => {
  try {
    const key = parseVkey(text);
    if (key.type === SIGNATURE_TYPE.cosignature) return key;
    context.addIssue({
      code: 'custom',
      message: 'is not a witness key; print it on the witness with lukhas witness key',
    });
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
  return z.NEVER;
});

/** The `evidence` section of a configuration file. Unknown keys are errors. */
export const evidenceSchema = z.strictObject({
  witnesses: z.array(z.strictObject({ url, vkey })).default([]),
  anchors: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('file'), path }),
        z.strictObject({
          kind: z.literal('git'),
          repository: path,
          sign: z.boolean().optional(),
          signingKey: path.optional(),
          push: z.boolean().optional(),
        }),
        z.strictObject({ kind: z.literal('webhook'), url }),
        z.strictObject({ kind: z.literal('tsa'), url, caFile: path }),
      ]),
    )
    .default([]),
});

/** What keeps a text from being an address that is posted to; null when nothing does. It may stand in a log. */
export function addressProblem(text: string): string | null {
  const example = 'write e.g. https://witness.example.com';
  if (!URL.canParse(text)) return `is not a URL; ${example}`;
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return `is neither http nor https; ${example}`;
  return username === '' && password === '' ? null : 'holds a user name or password, which would be logged';
}
